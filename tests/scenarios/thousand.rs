//! A thousand feeds at once.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use bellwether_control::wire::{ConnectionState, Feed};
use bellwether_tests::{PATIENCE, Resident, skip, until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const FEEDS: usize = 1000;

/// What the program may have open without asking for more: what many systems grant.
const USUAL_FILES: u64 = 1024;

#[test]
fn a_thousand_feeds_are_connected_soon_but_not_all_in_the_same_moment() {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < 4 * FEEDS as u64) {
        skip!("so many files must not be open here");
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum.or(Some(8192)), ..limit })
        .expect("more files");
    let server = Server::start();
    let feeds =
        (0..FEEDS).map(|number| format!("[[feed]]\nid = \"f{number}\"\nurl = \"{}/{number}\"\n", server.url));
    let mut resident = Resident::prepare();
    resident.config(&feeds.collect::<String>());
    setrlimit(Resource::Nofile, Rlimit { current: Some(USUAL_FILES), ..limit }).expect("fewer files");
    resident.start();
    let running = Instant::now();
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum.or(Some(8192)), ..limit })
        .expect("more files");

    until(PATIENCE, "a thousand connections", || {
        let feeds: Vec<Feed> = resident.get("/feeds");
        feeds.len() == FEEDS && feeds.iter().all(|feed| feed.connection.state == ConnectionState::Connected)
    });
    println!("connected {:?} after the control socket answered", running.elapsed());
    let arrivals = server.arrivals();
    assert_eq!(arrivals.len(), FEEDS, "nobody had to try twice");
    // It takes four seconds; what is checked is that it is no rush.
    let spread = arrivals[FEEDS - 1] - arrivals[0];
    assert!(spread >= Duration::from_secs(1), "all came within {spread:?}");
    assert!(resident.quit().success());
}

/// Opens a stream for everyone, and keeps them.
struct Server {
    url: String,
    clients: Arc<Mutex<Vec<(Instant, TcpStream)>>>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let clients = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::downgrade(&clients);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (Some(all), now) = (all.upgrade(), Instant::now()) else { return };
                thread::spawn(move || {
                    let head = BufReader::new(&stream).lines().map_while(Result::ok);
                    head.take_while(|line| !line.is_empty()).for_each(drop);
                    let head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
                    if (&stream).write_all(head).is_ok() {
                        all.lock().unwrap_or_else(PoisonError::into_inner).push((now, stream));
                    }
                });
            }
        });
        Self { url, clients }
    }

    /// When each client came, in order.
    fn arrivals(&self) -> Vec<Instant> {
        let clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let mut arrivals: Vec<Instant> = clients.iter().map(|(came, _)| *came).collect();
        arrivals.sort_unstable();
        arrivals
    }
}
