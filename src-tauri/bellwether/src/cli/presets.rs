//! `bellwether presets`: the providers that Bellwether knows. Needs no resident program.

use std::collections::BTreeMap;

use bellwether_control::messages::Catalogue;
use bellwether_engine::preset::{self, Preset};
use serde::Serialize;

use super::{
    Failure,
    output::{Output, Paint, Span, Table},
};
use crate::args::PresetsArgs;

/// A preset as scripts see it.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    name: &'a str,
    url: &'a str,
    /// By language.
    help: BTreeMap<&'a str, &'a str>,
    auth: &'a [String],
    found_by_url: bool,
    found_by_stream: bool,
}

impl<'a> Shown<'a> {
    fn new(preset: &'a Preset) -> Self {
        Self {
            id: preset.id,
            name: &preset.name,
            url: &preset.url,
            help: ["en", "zh-CN"].map(|language| (language, preset.help(language))).into(),
            auth: &preset.auth,
            found_by_url: preset.is_found_by_url(),
            found_by_stream: preset.is_found_by_stream(),
        }
    }
}

pub(super) fn run(args: &PresetsArgs, catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    let Some(id) = &args.id else {
        if args.json {
            return Ok(output.json(&preset::all().iter().map(Shown::new).collect::<Vec<_>>())?);
        }
        return list(catalogue, output);
    };
    let unknown = || Failure::Said(catalogue.format("cli.presets.unknown", &[("id", id)]));
    let preset = preset::by_id(id).ok_or_else(unknown)?;
    if args.json {
        return Ok(output.json(&Shown::new(preset))?);
    }
    show(preset, catalogue, output)
}

fn list(catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::default();
    let titles = ["cli.column.preset", "cli.column.name", "cli.column.url", "cli.presets.access"];
    table.titles(titles.map(|key| catalogue.text(key)));
    for preset in preset::all() {
        let [id, name, url] = [preset.id, &preset.name, &preset.url].map(Span::new);
        table.row([id, name, url, Span::from(access(preset, catalogue))]);
    }
    output.table(&table)?;
    Ok(output.line([Span::new(catalogue.text("cli.presets.more")).paint(Paint::Dim)])?)
}

fn show(preset: &Preset, catalogue: &Catalogue, output: &mut Output) -> Result<(), Failure> {
    let found = match (preset.is_found_by_url(), preset.is_found_by_stream()) {
        (true, true) => "cli.presets.found_both",
        (true, false) => "cli.presets.found_url",
        (false, true) => "cli.presets.found_stream",
        (false, false) => "cli.presets.found_none",
    };
    output.line([Span::new(&preset.name).paint(Paint::Bold)])?;
    let mut table = Table::default();
    for (label, value) in [
        ("cli.presets.address", preset.url.clone()),
        ("cli.presets.access", access(preset, catalogue)),
        ("cli.presets.found", catalogue.format(found, &[("id", preset.id)])),
    ] {
        table.row([Span::new(catalogue.text(label)).paint(Paint::Dim), Span::from(value)]);
    }
    output.whole_table(&table)?;
    Ok(output.line([preset.help(catalogue.locale())])?)
}

/// What lets a feed in, in the words of `feeds.toml`.
pub(super) fn access(preset: &Preset, catalogue: &Catalogue) -> String {
    if preset.auth.is_empty() {
        return catalogue.text("cli.presets.access_none").to_owned();
    }
    preset.auth.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::cli::{finish, output::capture};

    fn said(id: Option<&str>, json: bool, locale: &str) -> (u8, String, String) {
        let (mut output, captured) = capture::captured(None);
        let catalogue = Catalogue::new(locale);
        let args = PresetsArgs { id: id.map(str::to_owned), json };
        let code = finish(run(&args, &catalogue, &mut output), &catalogue, &mut output);
        (code, captured.out(), captured.err())
    }

    #[test]
    fn presets_are_listed_with_their_address_and_what_lets_one_in() {
        let (code, out, _) = said(None, false, "en");
        assert_eq!((code, out.lines().count()), (0, preset::all().len() + 2));
        assert!(out.contains("https://ntfy.sh/TOPIC/sse"), "{out}");
        assert!(out.contains("bearer, basic, query.auth"), "{out}");
    }

    #[test]
    fn one_preset_is_shown_with_its_help_in_the_persons_language() {
        let (code, out, _) = said(Some("ntfy"), false, "en");
        assert!(
            code == 0 && out.contains("The topic's address") && out.contains("the first events"),
            "{out}"
        );
        let (_, out, _) = said(Some("ntfy"), false, "zh-CN");
        assert!(out.contains("主题地址"), "{out}");
        let (_, out, _) = said(Some("json"), false, "en");
        assert!(out.contains("preset = \"json\""), "{out}");
        let (code, _, err) = said(Some("nfty"), false, "en");
        assert!(code == 1 && err.contains("nfty"), "{err}");
    }

    #[test]
    fn scripts_get_json() {
        let (code, out, _) = said(None, true, "en");
        let all: Vec<Value> = serde_json::from_str(&out).unwrap();
        assert_eq!((code, all.len()), (0, preset::all().len()));
        let (_, out, _) = said(Some("esphome"), true, "en");
        let one: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(
            (&one["found_by_url"], &one["found_by_stream"], &one["auth"][0]),
            (&false.into(), &true.into(), &"basic".into())
        );
    }
}
