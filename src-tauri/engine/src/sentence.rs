//! Sentences about what a person wrote or has to mend. Each has a code, so that whoever shows it can say it in that person's
//! language; [`Sentence`] itself says it in English.

use std::fmt;

/// What is wrong and what to do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sentence {
    wording: Wording,
    /// What stands in the places of the text, such as a key's name.
    pub params: Vec<(&'static str, String)>,
}

/// A text with places such as `{name}`, and the code that its translations go by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wording {
    /// What a program branches on; unique.
    pub code: &'static str,
    /// The text.
    pub english: &'static str,
}

impl Wording {
    /// The sentence with its places filled in.
    pub(crate) fn with<const N: usize>(self, params: [(&'static str, String); N]) -> Sentence {
        Sentence { wording: self, params: params.into() }
    }
}

impl From<Wording> for Sentence {
    fn from(wording: Wording) -> Self {
        wording.with([])
    }
}

impl Sentence {
    /// The code that its translations go by.
    pub fn code(&self) -> &'static str {
        self.wording.code
    }
}

impl fmt::Display for Sentence {
    /// In one pass, so that a value that looks like a place is not taken for one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.wording.english;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            match self.params.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => write!(f, "{before}{value}")?,
                None => write!(f, "{before}{{{name}}}")?,
            }
            rest = after;
        }
        f.write_str(rest)
    }
}

macro_rules! wordings {
    ($($name:ident = $code:literal: $english:literal;)+) => {
        $(pub(crate) const $name: Wording = Wording { code: $code, english: $english };)+
        /// All there are.
        pub const WORDINGS: &[Wording] = &[$($name),+];
    };
}

wordings! {
    // The file.
    CANNOT_READ = "cannot_read": "cannot read {path}: {cause}; check the file's permissions";
    CANNOT_WRITE = "cannot_write": "cannot write {path}: {cause}; check the permissions of the file's folder";
    NOT_UTF8 = "not_utf8": "not UTF-8; save the file in this encoding";
    FILE_TOO_LARGE = "file_too_large": "feeds.toml is larger than {kib} KiB";
    FILE_WOULD_GROW = "file_would_grow": "feeds.toml would grow over {kib} KiB";
    FILE_CHANGES = "file_changes": "feeds.toml is being changed by another program all the time; try again";
    CANNOT_EDIT = "cannot_edit": "feeds.toml cannot be changed here; edit it by hand ({cause})";
    NOT_TOML = "not_toml": "not TOML: {cause}";
    // Sections, keys and values.
    FEED_NO_SECTION = "feed_no_section": "each feed is a section of its own: write [[feed]], with two brackets";
    RULE_NO_SECTION = "rule_no_section": "each rule is a section of its own: write [[feed.rule]], with two brackets";
    UNKNOWN_KEY = "unknown_key": "unknown key; known here: {known}";
    MISSPELT_KEY = "misspelt_key": "unknown key; did you mean {name}?";
    MISSING = "missing": "missing; add it, such as {example}";
    NO_CHOICE = "no_choice": "“{value}” is none of {known}";
    WANTS_BOOLEAN = "wants_boolean": "must be true or false; this is of type {type}";
    WANTS_TEXT = "wants_text": "must be a text in quotes; this is of type {type}";
    WANTS_TIME = "wants_time": "must be seconds, such as 300, or a time, such as \"5m\"; this is of type {type}";
    WANTS_NAMES = "wants_names": "must be a name in quotes, or a list of names; this is of type {type}";
    WANTS_CERTIFICATE = "wants_certificate": "must be a path in quotes, or { certificate = \"client.pem\", key = \"client.key\" }; this is of type {type}";
    WANTS_RESUME = "wants_resume": "must be \"header\", \"none\" or { query = \"since\", from = \"data.id\" }; this is of type {type}";
    WANTS_NOTIFY = "wants_notify": "must be {example}; this is of type {type}";
    // Feeds.
    TOO_MANY_FEEDS = "too_many_feeds": "more than {most} feeds";
    FEEDS_FULL = "feeds_full": "there are {most} feeds already; remove one first";
    NO_SUCH_FEED = "no_such_feed": "there is no feed “{id}”; see: bellwether feeds";
    ID_INVALID = "id_invalid": "“{id}” is no id; use 1 to 64 of a-z, 0-9, \"-\", \"_\" and \".\"";
    ID_REPEATED = "id_repeated": "“{id}” is the id of {key} already; give this feed another";
    ID_TAKEN = "id_taken": "there is a feed “{id}” already; give this one another id";
    IDS_TAKEN = "ids_taken": "every id like “{id}” is taken; give one";
    NAME_EMPTY = "name_empty": "the name is empty; leave it out to use the id";
    NAME_TOO_LONG = "name_too_long": "the name is longer than {most} characters";
    NAME_CONTROL = "name_control": "the name has a line break or another control character";
    GROUP_EMPTY = "group_empty": "the group's name is empty; leave it out for a feed by itself";
    GROUP_TOO_LONG = "group_too_long": "the group's name is longer than {most} characters";
    GROUP_CONTROL = "group_control": "the group's name has a line break or another control character";
    URL_EMPTY = "url_empty": "the URL is empty; write all of it, such as https://example.org/events";
    URL_TOO_LONG = "url_too_long": "a URL of more than {most} bytes";
    URL_BLANK = "url_blank": "“{url}” is not a URL: it has a blank or line break in it";
    URL_NO_SCHEME = "url_no_scheme": "“{url}” is not a URL; write all of it, such as https://{url}";
    URL_INVALID = "url_invalid": "“{url}” is not a URL: {cause}";
    URL_SCHEME = "url_scheme": "“{url}” has the scheme {scheme}; use http or https";
    URL_TAKEN = "url_taken": "the feed “{id}” has this URL already; change that one, or remove it first";
    TIME_NEGATIVE = "time_negative": "less than 0 seconds; use 0 for never";
    TIME_INVALID = "time_invalid": "“{value}” is no time in whole seconds; write seconds, such as 300, or a time, such as \"5m\"";
    TIME_TOO_LONG = "time_too_long": "more than {most} seconds (a week); use 0 for never";
    // How a feed gets in.
    WANTS_AUTH = "wants_auth": "must be a table, such as auth.bearer = { keyring = true }";
    SECRET_IN_FILE = "secret_in_file": "a secret does not belong into this file; say where it is: { keyring = true }, { env = \"NAME\" }, { command = [\"…\"] } or { file = \"~/…\" }";
    ONE_SOURCE = "one_source": "must name one source of the secret: keyring, env, command or file";
    KEYRING_TRUE = "keyring_true": "must be true; for no keyring, name another source: env, command or file";
    VARIABLE_INVALID = "variable_invalid": "must be the name of an environment variable";
    WANTS_COMMAND = "wants_command": "must be a list of texts, the program first, such as [\"pass\", \"show\", \"ops\"]";
    FILE_NOT_WHOLE = "file_not_whole": "must be a whole path, from / or ~/ on";
    USER_INVALID = "user_invalid": "a user has no colon, no line break, and at most 256 bytes";
    HEADER_INVALID = "header_invalid": "“{name}” cannot be a header's name";
    HEADER_OWN = "header_own": "Bellwether sets the header {name} itself";
    HEADER_TWICE = "header_twice": "the header {name} is here already, as upper and lower case are the same to it";
    COOKIE_INVALID = "cookie_invalid": "“{name}” cannot be a cookie's name";
    AUTHORIZATION_TWICE = "authorization_twice": "a request has one Authorization: keep bearer, basic or that header, one of them";
    USER_IN_URL = "user_in_url": "the URL has a user already: take it out there, or leave out bearer, basic and the header Authorization";
    COOKIE_TWICE = "cookie_twice": "keep either cookies or the header Cookie";
    TOO_MANY_CREDENTIALS = "too_many_credentials": "more than {most} credentials";
    URL_MASKED = "url_masked": "the URL has *** where a secret belongs; write the secret, or leave the URL as it was";
    PROXY_INVALID = "proxy_invalid": "no proxy; write \"system\", \"none\", or all of its URL, such as \"http://proxy.example.org:3128\"; it may begin with http, https, socks5 or socks5h";
    PATH_INVALID = "path_invalid": "no path of a file";
    PARAMETER_INVALID = "parameter_invalid": "no name of a parameter; it takes 1 to {most} bytes";
    RESUME_FROM = "resume_from": "“{value}” is no place in an event; write \"id\", \"data\" or the keys that lead to a value, such as \"data.id\"";
    RESUME_SECRET = "resume_secret": "the parameter {name} holds a secret of auth already; resume by another, or by the header";
    RESUME_EVENT = "resume_event": "the last event ID is taken from every event; leave out event, or take the value from the data";
    // Popups.
    WANTS_FLOOD = "wants_flood": "must be a table, such as { popups = 3, seconds = 10, overall = 10 }; this is of type {type}";
    WANTS_COUNT = "wants_count": "must be a whole number from {least} to {most}";
    WANTS_ALERT = "wants_alert": "must be a time, such as \"10m\", or false for never";
    WANTS_SILENCE = "wants_silence": "must be \"usual\" or a time, such as \"6h\"";
    ALERT_TIME = "alert_time": "“{value}” is no time from {least} s to {most} s; write seconds, such as 600, or a time, such as \"10m\"";
    NOTIFICATIONS_NO_SECTION = "notifications_no_section": "this is a section: write [notifications]";
    LOG_NO_SECTION = "log_no_section": "this is a section: write [log]";
    QUIET_NO_SECTION = "quiet_no_section": "each range of quiet hours is a section of its own: write [[quiet_hours]], with two brackets";
    TOO_MANY_RANGES = "too_many_ranges": "more than {most} ranges of quiet hours";
    TIME_OF_DAY = "time_of_day": "“{value}” is no time of the day; write hours and minutes, such as \"22:00\"";
    WEEKDAY = "weekday": "“{value}” is no day of the week; write mon, tue, wed, thu, fri, sat or sun";
    WANTS_DAYS = "wants_days": "must be a list of days, such as [\"mon\", \"tue\"]; this is of type {type}";
    NO_DAYS = "no_days": "no day; name at least one, or leave the hours out";
    TIME_ZONE = "time_zone": "this computer knows no time zone “{value}”; write one such as \"Europe/Berlin\", or leave it out for this computer's own";
    // Rules.
    TOO_MANY_RULES = "too_many_rules": "more than {most} rules";
    TOO_MANY_NAMES = "too_many_names": "more than {most} names";
    RULES_CHANGED = "rules_changed": "the rules have been changed meanwhile, in feeds.toml or elsewhere; look at them again";
    RULE_WAS = "rule_was": "the feed has no rule {number}, or it is named twice";
    NO_NAMES = "no_names": "an empty list matches nothing; leave event out to match any";
    EVENT_EMPTY = "event_empty": "an empty name; leave out event to match any";
    EVENT_TOO_LONG = "event_too_long": "a name of more than {most} bytes";
    EVENT_LINE_BREAK = "event_line_break": "a name with a line break, which no event type has";
    NOTIFY_UNUSED = "notify_unused": "this action shows no popup; leave out notify or action";
    URGENT_UNUSED = "urgent_unused": "this action shows no popup; leave out urgent or action";
    WITHDRAW_NO_KEY = "withdraw_no_key": "missing; say which popup to take away, such as notify.key = \"door\"";
    WITHDRAW_KEY_ONLY = "withdraw_key_only": "this action shows no popup; keep notify.key alone";
    RUN_ELSEWHERE = "run_elsewhere": "only a feed's own rule in feeds.toml can run a program";
    ICON = "icon": "“{value}” is no https URL of an image";
    SOUND = "sound": "“{value}” is not true, false or the name of a sound, such as message-new-instant";
    EXPIRE = "expire": "“{value}” is no time; write seconds, such as 10, a time, such as \"10s\", or \"never\"";
    TOO_MANY_BUTTONS = "too_many_buttons": "more than {most} buttons";
    LABEL = "label": "a label has 1 to {most} characters";
    NO_LINK = "no_link": "“{value}” is no link that can be opened; it begins with https://, http:// or mailto:";
    WANTS_SOUND = "wants_sound": "must be true, false or a name in quotes; this is of type {type}";
    WANTS_EXPIRE = "wants_expire": "must be seconds, such as 10, or a text, such as \"10s\" or \"never\"; this is of type {type}";
    WANTS_BUTTONS = "wants_buttons": "must be a list, such as [{ label = \"…\", url = \"…\" }]; this is of type {type}";
    URGENCY = "urgency": "“{value}” is not low, normal or critical";
    // Presets.
    UNKNOWN_PRESET = "unknown_preset": "unknown preset “{value}”; known here: {known}";
    MISSPELT_PRESET = "misspelt_preset": "unknown preset “{value}”; did you mean {near}?";
    PRESET_SET = "preset_set": "feeds.toml says so";
    PRESET_URL = "preset_url": "the address is that of {name}";
    PRESET_STREAM = "preset_stream": "its events are like those of {name}";
    PRESET_EVENT = "preset_event": "it sent an event “{event}” as {name} does";
    // Templates.
    TEMPLATE_TOO_LONG = "template_too_long": "longer than {most} bytes";
    TOO_MANY_STEPS = "too_many_steps": "takes more than {most} steps";
    TOO_MUCH_MADE = "too_much_made": "makes more than {most} MiB on its way";
    TEMPLATE = "template": "{cause}";
    UNKNOWN_FILTER = "unknown_filter": "unknown filter “{name}”";
    MISSPELT_FILTER = "misspelt_filter": "unknown filter “{name}”; did you mean {near}?";
    UNKNOWN_TEST = "unknown_test": "unknown test “{name}”";
    MISSPELT_TEST = "misspelt_test": "unknown test “{name}”; did you mean {near}?";
    UNKNOWN_NAME = "unknown_name": "unknown name “{name}”; a rule knows {known}";
    MISSPELT_NAME = "misspelt_name": "unknown name “{name}”; did you mean {near}?";
    // Snoozing.
    SNOOZE_UNKNOWN = "snooze_unknown": "“{value}” is no time to snooze until; write how long (15m, 1h30m), a time of day (08:00), tomorrow, an RFC 3339 time, or off";
    SNOOZE_PASSED = "snooze_passed": "“{value}” has passed already; choose a later time, or off";
    SNOOZE_TOO_LONG = "snooze_too_long": "“{value}” is more than {days} days away; to hear nothing of a feed for good, mute or pause it";
    // The event log.
    LOG_CANNOT_OPEN = "log_cannot_open": "cannot open the event log {path}: {cause}; check the folder and its rights";
    LOG_NO_DATABASE = "log_no_database": "the event log {path} is not a database; it is left untouched: move it away or restore a backup";
    LOG_DAMAGED = "log_damaged": "the event log {path} is damaged ({cause}); it is left untouched: move it away or restore a backup";
    LOG_OTHER_PROGRAM = "log_other_program": "the event log {path} is another program's database; it is left untouched: move it away";
    LOG_NEWER = "log_newer": "the event log {path} is of a newer version of Bellwether; it is left untouched: update Bellwether or move it away";
    LOG_VERSION = "log_version": "the event log {path} is of an unknown version ({cause}); it is left untouched: update Bellwether, move it away or restore a backup";
    LOG_FULL = "log_full": "no room on the disk for the event log {path}; free some space";
    LOG_FAILED = "log_failed": "the event log failed: {cause}";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn values_fill_their_places_and_are_not_read_again() {
        let sentence = URL_INVALID.with([("url", "{cause}{".to_owned()), ("cause", "x".to_owned())]);
        assert_eq!(sentence.to_string(), "“{cause}{” is not a URL: x");
        assert_eq!(URGENCY.with([]).to_string(), "“{value}” is not low, normal or critical");
    }

    #[test]
    fn codes_are_unique() {
        let codes: HashSet<_> = WORDINGS.iter().map(|wording| wording.code).collect();
        assert_eq!(codes.len(), WORDINGS.len());
    }
}
