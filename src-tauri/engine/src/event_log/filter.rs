//! A query as SQL: which lists of numbers have its events, in their order.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{
    Query,
    record::{Record, outcome_number},
    row_id, search,
};
use crate::feed::FeedId;

/// A query with its names resolved to keys: no text of anybody's goes into SQL.
#[derive(Clone)]
pub(super) struct Filter {
    pub(super) feed: Option<i64>,
    kind: Option<i64>,
    pub(super) words: Option<String>,
    unread: bool,
    held_back: bool,
    summary: Option<i64>,
    /// Their numbers, if they are asked for.
    outcomes: Option<Vec<i64>>,
    /// So few events have the type that walking them is the shortest way.
    rare_kind: bool,
    /// The same of the outcomes.
    rare_outcomes: bool,
    /// Unread events in the whole log.
    all_unread: i64,
    /// Where numbers alone do not tell the time, as the clock was set back: not before this …
    since: Option<i64>,
    /// … and before this.
    until: Option<i64>,
    /// Numbers from here …
    first: i64,
    /// … to below here.
    before: i64,
}

/// So few are looked at one by one.
const FEW: i64 = 2000;

/// `None`: the log cannot have such an event.
pub(super) fn resolve(db: &Connection, query: &Query) -> rusqlite::Result<Option<Filter>> {
    let key = |table: &str, name: Option<&str>| match name {
        None => Ok(Some(None)),
        Some(name) => db.query_row(table, [name], |row| row.get(0).map(Some)).optional(),
    };
    let feed = key("SELECT key FROM feed WHERE id = ?1", query.feed.as_ref().map(FeedId::as_str))?;
    let kind = key("SELECT key FROM event_type WHERE name = ?1", query.event.as_deref())?;
    let (Some(feed), Some(kind)) = (feed, kind) else { return Ok(None) };
    let text = query.search.as_deref().filter(|text| !text.trim().is_empty());
    let words = text.map(search::query);
    if words == Some(None) {
        return Ok(None);
    }
    let outcomes = query.outcomes.as_ref().map(|outcomes| {
        let mut numbers: Vec<i64> = outcomes.iter().map(|outcome| outcome_number(*outcome)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers.retain(|outcome| !query.held_back || matches!(outcome, 3 | 5 | 6 | 8));
        numbers.retain(|outcome| !query.unread || matches!(outcome, 2 | 3 | 4 | 8));
        numbers
    });
    if outcomes.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let mut filter = Filter {
        feed,
        kind,
        words: words.flatten(),
        unread: query.unread,
        held_back: query.held_back,
        summary: query.summary.map(|summary| row_id(summary).unwrap_or_default()),
        rare_kind: false,
        rare_outcomes: false,
        all_unread: db.query_row("SELECT coalesce(sum(unread), 0) FROM feed", [], |row| row.get(0))?,
        outcomes,
        since: None,
        until: None,
        first: 0,
        before: query.before.and_then(row_id).unwrap_or(i64::MAX),
    };
    filter.set_times(db, query)?;
    filter.look_for_rare(db)?;
    Ok(Some(filter))
}

/// The smallest number that an event received at `since` or later can have: halves its way along the log's clock.
pub(super) fn first_since(db: &Connection, since: Timestamp) -> rusqlite::Result<i64> {
    let newest: i64 = db.query_row("SELECT coalesce(max(seq), 0) FROM event", [], |row| row.get(0))?;
    first_between(db, since.as_millisecond(), 0, newest + 1)
}

/// The same, if it is known to lie between these two.
pub(super) fn first_between(db: &Connection, since: i64, low: i64, high: i64) -> rusqlite::Result<i64> {
    let mut clock = db.prepare_cached("SELECT clock FROM event WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1")?;
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low) / 2;
        let at: Option<i64> = clock.query_row([middle], |row| row.get(0)).optional()?;
        if at.is_some_and(|at| at >= since) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

/// The part of a page's query after its columns: finds the numbers first, then fetches these events alone.
pub(super) fn from_where(filter: &Filter, limit: usize) -> String {
    format!(
        "FROM ({} ORDER BY seq DESC LIMIT {limit}) k CROSS JOIN event e ON e.seq = k.seq {}",
        filter.lists().join(" UNION ALL "),
        Record::JOINS
    )
}

/// The index and the outcome of events whose popups wait to be handed over.
const PENDING: (&str, i64) = ("pending", 3);
/// The same of events that are told later.
const WAITING: (&str, i64) = ("waiting", 8);

/// Of the events as `e`.
const UNREAD: &str = " AND EXISTS (SELECT 1 FROM unread q WHERE q.seq = e.seq)";

// Each list names the index that has its events in their order, and the tables in the order to walk them: the planner, which
// has no statistics, would choose by guess.

impl Filter {
    /// The lists that have the events, each of them once.
    pub(super) fn lists(&self) -> Vec<String> {
        if self.summary.is_some() {
            return vec![self.of_summary()];
        }
        if let Some(outcomes) = &self.outcomes {
            return self.of_outcomes(outcomes);
        }
        match (self.words.is_some(), self.unread, self.held_back) {
            (false, false, false) => vec![self.listed()],
            (false, true, false) => vec![self.unread(self.with_event())],
            (_, false, true) => self.of_outcomes(&[3, 5, 6, 8]),
            (true, false, false) => vec![self.found("e.outcome <> 6", None)],
            (true, true, false) => vec![self.found_unread()],
            (_, true, true) => [PENDING, WAITING].map(|which| self.unshown(which) + UNREAD).into(),
        }
    }

    /// The same for whoever wants numbers alone, in any order and whatever the words: all that are listed need not be read from the
    /// events themselves.
    pub(super) fn lists_of_numbers(&self) -> Vec<String> {
        let filter = Self { words: None, ..self.clone() };
        let narrowed = self.summary.is_some() || self.outcomes.is_some() || self.unread || self.held_back;
        if narrowed || self.kind.is_some() || self.feed.is_some() {
            return filter.lists();
        }
        filter.of_outcomes(&[2, 3, 4, 5, 7, 8])
    }

    /// The events that have the words, ignored ones too; the words are bound as the second parameter.
    pub(super) fn hits(&self) -> String {
        format!(
            "SELECT search.rowid AS seq FROM search WHERE search MATCH {} AND search.rowid >= {} AND search.rowid < {}",
            self.matching(None),
            self.first,
            self.before
        )
    }

    /// Whether nothing but words, feed, type and numbers decides, except for ignored events.
    pub(super) fn is_of_words_alone(&self) -> bool {
        let by_time = self.since.is_some() || self.until.is_some();
        self.words.is_some()
            && !by_time
            && self.summary.is_none()
            && self.outcomes.is_none()
            && !self.unread
            && !self.held_back
    }

    /// The ignored events under the other conditions.
    pub(super) fn ignored(&self) -> Vec<String> {
        Self { words: None, unread: false, ..self.clone() }.of_outcomes(&[6])
    }

    fn listed(&self) -> String {
        let index = match (self.feed, self.kind) {
            (None, None) => "NOT INDEXED",
            (Some(_), None) => "INDEXED BY listed_feed",
            (None, Some(_)) => "INDEXED BY listed_type",
            (Some(_), Some(_)) => "INDEXED BY listed_feed_type",
        };
        let conditions = self.conditions("e", "e.seq");
        format!("SELECT e.seq AS seq FROM event e {index} WHERE e.outcome <> 6{conditions}")
    }

    /// A list of each of these outcomes, or one of several where that is shorter.
    fn of_outcomes(&self, outcomes: &[i64]) -> Vec<String> {
        let has = |outcome: i64| outcomes.contains(&outcome);
        let unread = if self.unread { UNREAD } else { "" };
        let mut lists = Vec::new();
        lists.extend(has(PENDING.1).then(|| self.unshown(PENDING) + unread));
        lists.extend(has(WAITING.1).then(|| self.unshown(WAITING) + unread));
        let of = |group: [i64; 3]| group.into_iter().filter(|it| has(*it)).collect::<Vec<_>>();
        for (settled, told) in [(of([2, 4, 7]), true), (of([5, 6, 6]), false)] {
            if settled.is_empty() {
                continue;
            }
            let among = format!("e.outcome IN ({})", numbers(&settled));
            let rest = self.with_words() + unread;
            if self.rare_kind && !settled.contains(&6) {
                lists.push(format!("{} AND {among}{rest}", self.listed()));
            } else if self.words.is_some() && !self.rare_outcomes {
                lists.push(self.found_settled(&settled, told) + unread);
            } else if self.unread && !self.rare_outcomes {
                let unread = self.unread("CROSS JOIN event e ON e.seq = q.seq");
                lists.push(format!("{unread} AND {among}"));
            } else {
                lists.extend(self.settled(&settled, told).into_iter().map(|list| list + &rest));
            }
        }
        lists
    }

    /// The events of outcomes that remain: each in its order where popups told of them, as one of them may be rare.
    fn settled(&self, outcomes: &[i64], told: bool) -> Vec<String> {
        let index = self.index_of_settled(outcomes, told);
        let conditions = self.conditions("e", "e.seq");
        let list = |among: String| {
            format!("SELECT e.seq AS seq FROM event e INDEXED BY {index} WHERE {among}{conditions}")
        };
        match outcomes {
            _ if told => outcomes
                .iter()
                .map(|of| list(format!("e.outcome = {of} AND e.outcome IN (2, 4, 7)")))
                .collect(),
            [6, ..] => vec![list("e.outcome = 6".to_owned())],
            [5] => vec![list("e.outcome = 5 AND e.outcome IN (5, 6)".to_owned())],
            _ => vec![list("e.outcome IN (5, 6)".to_owned())],
        }
    }

    fn index_of_settled(&self, outcomes: &[i64], told: bool) -> &'static str {
        match (told, self.feed.is_some()) {
            (true, true) => "told_feed",
            (true, false) => "told",
            (false, _) if !outcomes.contains(&5) => "ignored",
            (false, true) => "held_feed",
            (false, false) => "held",
        }
    }

    /// Those that have the words: the index by outcome alone tells, as the events themselves are large. Feed and type are told by the words.
    fn found_settled(&self, outcomes: &[i64], told: bool) -> String {
        let (index, group) = if told { ("told", "2, 4, 7") } else { ("held", "5, 6") };
        let facet = (told && !outcomes.contains(&7)).then_some(search::TOLD);
        let plain = Self { feed: None, kind: None, ..self.clone() };
        format!(
            "SELECT search.rowid AS seq FROM search CROSS JOIN event e INDEXED BY {index} ON e.seq = search.rowid
             WHERE search MATCH {} AND e.outcome IN ({group}) AND e.outcome IN ({}){}",
            self.matching(facet),
            numbers(outcomes),
            plain.conditions("e", "search.rowid")
        )
    }

    fn unread(&self, event: &str) -> String {
        let index = match (self.feed, self.kind) {
            (None, None) => "NOT INDEXED",
            (Some(_), _) => "INDEXED BY unread_feed",
            (None, Some(_)) => "INDEXED BY unread_type",
        };
        let conditions = self.conditions("q", "q.seq");
        format!("SELECT q.seq AS seq FROM unread q {index} {event} WHERE TRUE{conditions}")
    }

    /// Few events wait at any time, so each is looked up among the words.
    fn unshown(&self, (index, outcome): (&str, i64)) -> String {
        let conditions = self.conditions("e", "e.seq");
        let words = self.with_words();
        format!(
            "SELECT e.seq AS seq FROM event e INDEXED BY {index} WHERE e.outcome = {outcome}{conditions}{words}"
        )
    }

    /// So are those that one popup told of.
    fn of_summary(&self) -> String {
        let summary = self.summary.unwrap_or_default();
        let mut outcome = if self.held_back { " AND e.outcome IN (3, 5, 6, 8)" } else { "" }.to_owned();
        if let Some(outcomes) = &self.outcomes {
            outcome += &format!(" AND e.outcome IN ({})", numbers(outcomes));
        }
        let unread = if self.unread { UNREAD } else { "" };
        format!(
            "SELECT s.seq AS seq FROM summarized s INDEXED BY summarized_summary CROSS JOIN event e ON e.seq = s.seq
             WHERE s.summary = {summary}{}{}{outcome}{unread}",
            self.conditions("e", "s.seq"),
            self.with_words()
        )
    }

    /// The index of words has feed, type and more, so that it finds the events alone.
    fn found(&self, outcome: &str, facet: Option<&str>) -> String {
        format!(
            "SELECT search.rowid AS seq FROM search CROSS JOIN event e ON e.seq = search.rowid
             WHERE search MATCH {} AND {outcome}{}",
            self.matching(facet),
            self.conditions("e", "search.rowid")
        )
    }

    /// Walks the shorter one: all that have the words, or, if there are but few, all that are unread.
    fn found_unread(&self) -> String {
        let (from, seq) = match self.all_unread {
            0..=FEW => ("unread q CROSS JOIN search ON search.rowid = q.seq", "q.seq"),
            _ => ("search CROSS JOIN unread q ON q.seq = search.rowid", "search.rowid"),
        };
        let event = self.with_event();
        format!(
            "SELECT {seq} AS seq FROM {from} {event} WHERE search MATCH {}{}",
            self.matching(Some(search::TOLD)),
            self.conditions("q", seq)
        )
    }

    /// The words, bound as the second parameter, together with feed, type and `facet`.
    fn matching(&self, facet: Option<&str>) -> String {
        let feed = self.feed.map(|feed| format!("f{feed}"));
        let kind = self.kind.map(|kind| format!("t{kind}"));
        let facets = [feed.as_deref(), kind.as_deref(), facet].into_iter().flatten();
        let facets: String = facets.map(|facet| format!(" AND facet : {facet}")).collect();
        format!("(?2 || '{facets}')")
    }

    /// That the event `e` has the words, after an AND.
    fn with_words(&self) -> String {
        let words = self.words.as_ref().map(|_| {
            let words = self.matching(None);
            format!(" AND EXISTS (SELECT 1 FROM search WHERE search MATCH {words} AND search.rowid = e.seq)")
        });
        words.unwrap_or_default()
    }

    /// Only a time asks for the unread event itself.
    fn with_event(&self) -> &'static str {
        let by_time = self.since.is_some() || self.until.is_some();
        if by_time { "CROSS JOIN event e ON e.seq = q.seq" } else { "" }
    }

    /// All conditions on the rows of `table`, whose number is `seq`, each after an AND.
    fn conditions(&self, table: &str, seq: &str) -> String {
        let mut all = format!(" AND {seq} >= {} AND {seq} < {}", self.first, self.before);
        for (column, key) in [("feed", self.feed), ("type", self.kind)] {
            if let Some(key) = key {
                all += &format!(" AND {table}.{column} = {key}");
            }
        }
        if let Some(since) = self.since {
            all += &format!(" AND e.received_at >= {since}");
        }
        if let Some(until) = self.until {
            all += &format!(" AND e.received_at < {until}");
        }
        all
    }

    /// Times as numbers. The clock of the log tells them; only what came while the system's clock was set back, if there is any, is
    /// compared by its own time.
    fn set_times(&mut self, db: &Connection, query: &Query) -> rusqlite::Result<()> {
        const BEHIND: &str = "SELECT max(seq) FROM event INDEXED BY set_back
            WHERE received_at < clock AND seq >= ?1 AND received_at < ?2";
        let behind =
            |first: i64, time: i64| db.query_row(BEHIND, [first, time], |row| row.get::<_, Option<i64>>(0));
        if let Some(since) = query.since {
            self.first = first_since(db, since)?;
            let since = since.as_millisecond();
            self.since = behind(self.first, since)?.map(|_| since);
        }
        if let Some(until) = query.until {
            let mut end = first_since(db, until)?;
            let until = until.as_millisecond();
            if let Some(behind) = behind(end, until)? {
                end = behind + 1;
                self.until = Some(until);
            }
            self.before = self.before.min(end);
        }
        Ok(())
    }

    /// Of outcomes there are too many together with other conditions for an index each: a rare one is walked.
    fn look_for_rare(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let Some(outcomes) = &self.outcomes else { return Ok(()) };
        let few = |rows: String, most: i64| {
            let count = format!("SELECT count(*) FROM (SELECT 1 FROM event e {rows} LIMIT {})", most + 1);
            db.query_row(&count, [], |row| row.get::<_, i64>(0)).map(|count| count <= most)
        };
        let feed = self.feed.map(|feed| format!(" AND e.feed = {feed}")).unwrap_or_default();
        // To look one up among the words takes longer.
        let most = if self.words.is_some() { FEW / 20 } else { FEW };
        let kind = self.kind.map(|kind| {
            let index = if self.feed.is_some() { "listed_feed_type" } else { "listed_type" };
            let most = if self.words.is_some() { most } else { 2 * FEW };
            few(format!("INDEXED BY {index} WHERE e.outcome <> 6 AND e.type = {kind}{feed}"), most)
        });
        let rare_kind = kind.transpose()?.unwrap_or_default();
        let mut rare_outcomes = self.words.is_some() || self.unread;
        let plain = Self { kind: None, ..self.clone() };
        for (group, told) in [([2, 4, 7], true), ([5, 6, 6], false)] {
            let settled: Vec<i64> = group.into_iter().filter(|outcome| outcomes.contains(outcome)).collect();
            if settled.is_empty() {
                continue;
            }
            for list in plain.settled(&settled, told) {
                let rows = list.split_once("FROM event e ").map(|(_, rows)| rows.to_owned());
                rare_outcomes = rare_outcomes && few(rows.unwrap_or_default(), most)?;
            }
        }
        (self.rare_kind, self.rare_outcomes) = (rare_kind, rare_outcomes);
        Ok(())
    }
}

fn numbers(numbers: &[i64]) -> String {
    let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
    texts.join(", ")
}
