//! What a rule's `notify` makes of a message.

use std::time::Duration;

use jiff::SignedDuration;
use url::Url;

use super::{ButtonText, Failure, NotifyText, RuleError, at_place, mistake};
use crate::{
    notification::{
        Button, Expire, MAX_BUTTONS, MAX_LABEL, Notification, Sound, Urgency, link, sanitize_body,
        sanitize_title,
    },
    sentence::{self, Wording},
    template::{Context, Template},
};

/// The shortest and the longest that a popup can be told to stay.
const EXPIRE: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60 * 60)];
/// Longest name of a sound, in bytes.
const MAX_SOUND: usize = 64;
/// The keys of the buttons, as errors name them.
const BUTTONS: [[&str; 2]; MAX_BUTTONS] = [
    ["notify.buttons[1].label", "notify.buttons[1].url"],
    ["notify.buttons[2].label", "notify.buttons[2].url"],
    ["notify.buttons[3].label", "notify.buttons[3].url"],
];

/// A rule's `notify`, compiled.
#[derive(Debug)]
pub(super) struct Popup {
    title: Option<Template>,
    body: Option<Template>,
    url: Option<Template>,
    urgency: Option<Template>,
    key: Option<Template>,
    icon: Option<Template>,
    group: Option<Template>,
    sound: Option<Template>,
    expire: Option<Template>,
    /// Label and URL.
    buttons: Vec<[Template; 2]>,
}

impl Popup {
    pub(super) fn compile(rule: u32, text: &NotifyText) -> Result<Self, RuleError> {
        let compile = |key, text: &Option<String>| match text.as_deref().map(Template::compile).transpose() {
            Ok(template) => Ok(template),
            Err(error) => Err(at_place(rule, key, error)),
        };
        // What is written out is checked now. What a template gives is taken if it is of use.
        let checked = |key, text: &Option<String>, is_right: fn(&str) -> bool, wrong: Wording| {
            let template = compile(key, text)?;
            match template.as_ref().and_then(Template::literal).filter(|value| !is_right(value)) {
                Some(value) => Err(mistake(rule, key, wrong.with([("value", value.to_owned())]))),
                None => Ok(template),
            }
        };
        Ok(Self {
            title: compile("notify.title", &text.title)?,
            body: compile("notify.body", &text.body)?,
            url: compile("notify.url", &text.url)?,
            urgency: checked(
                "notify.urgency",
                &text.urgency,
                |word| urgency(word).is_some(),
                sentence::URGENCY,
            )?,
            key: compile("notify.key", &text.key)?,
            icon: checked("notify.icon", &text.icon, |url| image(url).is_some(), sentence::ICON)?,
            group: compile("notify.group", &text.group)?,
            sound: checked("notify.sound", &text.sound, |name| sound(name).is_some(), sentence::SOUND)?,
            expire: checked("notify.expire", &text.expire, |time| expire(time).is_some(), sentence::EXPIRE)?,
            buttons: buttons(rule, &text.buttons)?,
        })
    }

    pub(super) fn templates(&self) -> impl Iterator<Item = &Template> {
        [&self.title, &self.body, &self.url, &self.urgency, &self.key]
            .into_iter()
            .chain([&self.icon, &self.group, &self.sound, &self.expire])
            .flatten()
            .chain(self.buttons.iter().flatten())
    }

    pub(super) fn render(&self, context: &Context, default: Notification) -> Result<Notification, Failure> {
        let render =
            |key, template: &Option<Template>| match template.as_ref().map(|text| text.render(context)) {
                Some(Ok(text)) => Ok(Some(text)),
                Some(Err(error)) => Err(Failure { key, error }),
                None => Ok(None),
            };
        let line = |key, template| {
            Ok(render(key, template)?.map(|text| sanitize_title(&text)).filter(|text| !text.is_empty()))
        };
        let body = render("notify.body", &self.body)?.map(|text| sanitize_body(&text));
        let url = render("notify.url", &self.url)?.map(|text| link(&text));
        Ok(Notification {
            title: line("notify.title", &self.title)?.unwrap_or(default.title),
            body: body.unwrap_or(default.body),
            url: url.unwrap_or(default.url),
            urgency: render("notify.urgency", &self.urgency)?
                .and_then(|word| urgency(&word))
                .unwrap_or_default(),
            key: line("notify.key", &self.key)?,
            icon: render("notify.icon", &self.icon)?.and_then(|url| image(&url)),
            group: line("notify.group", &self.group)?,
            sound: render("notify.sound", &self.sound)?.and_then(|name| sound(&name)).unwrap_or_default(),
            expire: render("notify.expire", &self.expire)?.and_then(|time| expire(&time)).unwrap_or_default(),
            buttons: self.render_buttons(context)?,
        })
    }

    /// Those that have both a label and a link.
    fn render_buttons(&self, context: &Context) -> Result<Vec<Button>, Failure> {
        let mut buttons = Vec::new();
        for ([label, url], keys) in self.buttons.iter().zip(BUTTONS) {
            let label = label.render(context).map_err(|error| Failure { key: keys[0], error })?;
            let url = url.render(context).map_err(|error| Failure { key: keys[1], error })?;
            if let (label, Some(url)) = (shortened(&sanitize_title(&label)), link(&url))
                && !label.is_empty()
            {
                buttons.push(Button { label, url });
            }
        }
        Ok(buttons)
    }
}

fn buttons(rule: u32, texts: &[ButtonText]) -> Result<Vec<[Template; 2]>, RuleError> {
    if texts.len() > MAX_BUTTONS {
        let message = sentence::TOO_MANY_BUTTONS.with([("most", MAX_BUTTONS.to_string())]);
        return Err(mistake(rule, "notify.buttons", message));
    }
    let compile = |key, text: &str| Template::compile(text).map_err(|error| at_place(rule, key, error));
    let button = |(text, keys): (&ButtonText, [&'static str; 2])| {
        let (label, url) = (compile(keys[0], &text.label)?, compile(keys[1], &text.url)?);
        let most = ("most", MAX_LABEL.to_string());
        if label
            .literal()
            .is_some_and(|label| !(1..=MAX_LABEL).contains(&sanitize_title(label).chars().count()))
        {
            return Err(mistake(rule, keys[0], sentence::LABEL.with([most])));
        }
        match url.literal().filter(|url| link(url).is_none()) {
            Some(value) => Err(mistake(rule, keys[1], sentence::NO_LINK.with([("value", value.to_owned())]))),
            None => Ok([label, url]),
        }
    };
    texts.iter().zip(BUTTONS).map(button).collect()
}

/// The label, ending in "…" if there was more.
fn shortened(label: &str) -> String {
    if label.chars().nth(MAX_LABEL).is_none() {
        return label.to_owned();
    }
    label.chars().take(MAX_LABEL - 1).chain(['…']).collect()
}

fn urgency(word: &str) -> Option<Urgency> {
    match word.trim() {
        "low" => Some(Urgency::Low),
        "normal" => Some(Urgency::Normal),
        "critical" => Some(Urgency::Critical),
        _ => None,
    }
}

/// An image's URL, as it is sent.
fn image(text: &str) -> Option<String> {
    link(text).filter(|url| Url::parse(url).is_ok_and(|url| url.scheme() == "https"))
}

fn sound(word: &str) -> Option<Sound> {
    match word.trim() {
        "true" => Some(Sound::Default),
        "false" => Some(Sound::Silent),
        name => {
            let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            let named = (1..=MAX_SOUND).contains(&name.len()) && name.bytes().all(is_right);
            named.then(|| Sound::Named(name.to_owned()))
        }
    }
}

/// `never`, seconds or a time; of what is shorter or longer than a popup can be told to stay, the nearest that it can.
fn expire(text: &str) -> Option<Expire> {
    let text = text.trim();
    if text == "never" {
        return Some(Expire::Never);
    }
    let time = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => text.parse::<SignedDuration>().ok()?.try_into().ok()?,
    };
    let [shortest, longest] = EXPIRE;
    Some(Expire::After(time.clamp(shortest, longest)))
}
