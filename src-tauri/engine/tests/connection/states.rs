//! What people are told of a connection, and what they may wish.

use bellwether_engine::{feed::State, subscription::News};

use crate::{
    numbers::{not_found, unavailable},
    row::{Row, SECOND, Step, asked, connected, message, needs_attention, pass, waiting},
    support::{Act, answer, stream},
};

pub(crate) fn rows() -> Vec<Row> {
    let connecting = |reason: &str, attempt| Step::State(State::Connecting, reason.to_owned(), attempt);
    let gone = || vec![answer("410 Gone", "")];
    vec![
        Row::new(
            "connecting, connected",
            vec![vec![stream("data: a\n\n"), Act::Hold]],
            vec![connecting("", 0), asked(), Step::Opened, connected(), message("a", "")],
        ),
        Row::new(
            "waiting: its cause, the attempt, the seconds left; the cause stays until the stream is open",
            vec![unavailable(), unavailable(), vec![stream(""), Act::Hold]],
            vec![
                connecting("", 0),
                waiting("status 503", 1),
                Step::NextWithin(3.0, 4.5),
                Step::Hear(News::try_now),
                connecting("status 503", 1),
                waiting("status 503", 2),
                Step::NextWithin(6.0, 9.0),
                Step::Hear(News::try_now),
                connecting("status 503", 2),
                Step::Opened,
                connected(),
            ],
        ),
        Row::new(
            "needs attention: its cause, the attempt, the next try; try now",
            vec![not_found(), vec![stream(""), Act::Hold]],
            vec![
                connecting("", 0),
                needs_attention("not_found 404", 1),
                Step::NextWithin(60.0, 90.0),
                Step::Hear(News::try_now),
                connecting("not_found 404", 1),
                Step::Opened,
                connected(),
            ],
        ),
        Row::new(
            "stopped: its cause, and no next try",
            vec![gone()],
            vec![connecting("", 0), Step::State(State::Stopped, "gone 410".to_owned(), 0), Step::Over],
        ),
        Row::new(
            "it never gives up by itself: the hundredth attempt is made like the first",
            (0..100).map(|_| unavailable()).collect(),
            (1..=100)
                .flat_map(|attempt| [asked(), waiting("status 503", attempt), Step::Hear(News::try_now)])
                .collect(),
        ),
        Row::new(
            "a wish that comes before there is a wait is no wish to end it",
            vec![vec![Act::Pass(5 * SECOND), answer("503 Service Unavailable", "")]],
            vec![asked(), Step::Hear(News::try_now), pass(5), waiting("status 503", 1), pass(3)],
        ),
    ]
}
