use serde_json::json;

use super::*;

fn context(text: &str) -> Context {
    let json = serde_json::from_str(text).ok();
    Context::new(Facts {
        event: "ping",
        id: "7",
        raw: Some(text),
        data: json.as_ref(),
        feed: ["ops", "Ops alerts", "https://example.org/sse"],
        received_at: "2026-11-20T12:00:00Z",
    })
}

#[test]
fn conditions() {
    let data =
        json!({"priority": 5, "tags": ["disk", "db"], "text": null, "ok": false, "who": {"login": "bob"}})
            .to_string();
    for (text, condition, expected) in [
        (data.as_str(), "data.priority >= 4", true),
        (&data, "data.priority < 4 or 'db' in data.tags", true),
        (&data, "data.text is none", true),
        (&data, "data.gone is defined", false),
        (&data, "data.gone.by.far", false),
        (&data, "'x' in data.gone", false),
        (&data, "data.gone >= 4", false),
        (&data, "data.ok", false),
        (&data, "data.who.login == 'bob' and data.tags | length == 2", true),
        (&data, "event == 'ping' and id == '7' and feed.id == 'ops'", true),
        (&data, "feed.name == 'Ops alerts' and feed.url[:5] == 'https'", true),
        (&data, "received_at[:4] == '2026'", true),
        (&data, "'priority' in raw", true),
        ("null", "data is none", true),
        ("idle", "data == 'idle'", true),
        ("", "not data", true),
        ("[1,2]", "data[1] == 2", true),
        ("\"RVJST1I6IGRpc2s\"", "'ERROR' in (data | b64decode)", true),
        ("RVJS\nT1I6IGRpc2s=", "'ERROR' in (data | b64decode)", true),
        ("\"SU5GTw==\"", "'ERROR' in (data | b64decode)", false),
        ("{}", "(data.log | b64decode) == ''", true),
        (r#"{"payload":"{\"n\":3}"}"#, "(data.payload | json).n == 3", true),
        ("{}", "(data.payload | json).n is undefined", true),
    ] {
        let holds = Expression::compile(condition).and_then(|expression| expression.holds(&context(text)));
        assert_eq!(holds, Ok(expected), "{condition} of {text}");
    }
}

#[test]
fn texts() {
    for (text, template, expected) in [
        ("plain", "no code, 100 % {safe}", "no code, 100 % {safe}"),
        (
            r#"{"a":null,"b":true,"c":1.5}"#,
            "[{{ data.a }}|{{ data.b }}|{{ data.c }}|{{ data.d.e }}]",
            "[|true|1.5|]",
        ),
        (r#"{"a":{"b":[1,"x"]}}"#, "{{ data.a }}", r#"{"b":[1,"x"]}"#),
        (r#"{"t":""}"#, "{{ data.t or feed.name }}", "Ops alerts"),
        ("<b>&</b>", "{{ data }}", "<b>&</b>"),
        ("您好，世界", "{{ data | truncate(3) }}", "您好…"),
        ("您好", "{{ data | truncate(2) }}{{ data | truncate(0) }}", "您好"),
        (r#"["a","b"]"#, "{% for x in data %}{{ loop.index }}{{ x }} {% endfor %}", "1a 2b "),
        (
            "x",
            "{% set y = raw %}{{ y | upper }}{# {{ nothing }} #}{% raw %}{{ a | b }}{% endraw %}",
            "X{{ a | b }}",
        ),
        (r#"{"n":3}"#, "{{ 'critical' if data.n > 2 else 'low' }}", "critical"),
        (r#"{"is":{"odd":1}}"#, "{{ data.is.odd }}{{ '| nothing' }}", "1| nothing"),
    ] {
        let rendered = Template::compile(template).and_then(|compiled| compiled.render(&context(text)));
        assert_eq!(rendered.as_deref(), Ok(expected), "{template} of {text}");
    }
}

#[test]
fn mistakes_are_found_while_compiling() {
    for (code, source, error) in [
        (Code::Expression, "data.priority >=", "unexpected end of input, expected expression (at 1:15)"),
        (Code::Expression, "data.a\n  or +", "unexpected `+` (at 2:6)"),
        (Code::Expression, "data | b64decod", "unknown filter “b64decod”; did you mean b64decode? (at 1:8)"),
        (Code::Expression, "event == 'x' and (data.y | xyzzy)", "unknown filter “xyzzy” (at 1:28)"),
        (Code::Expression, "data is nul", "unknown test “nul” (at 1:9)"),
        (Code::Expression, "data is not numbr", "unknown test “numbr”; did you mean number? (at 1:13)"),
        (Code::Expression, "dta.x", "unknown name “dta”; did you mean data? (at 1:1)"),
        (
            Code::Expression,
            "now() > 3",
            "unknown name “now”; a rule knows event, id, data, raw, feed, received_at (at 1:1)",
        ),
        (
            Code::Template,
            "a\n您好 {{ data. }}",
            "unexpected end of variable block, expected identifier or integer (at 2:13)",
        ),
        (Code::Template, "{% if data.x %}{{ data | foo }}{% endif %}", "unknown filter “foo” (at 1:26)"),
        (Code::Template, "{% include '/etc/passwd' %}", "unknown statement include (at 1:4)"),
        (Code::Template, "{% macro m() %}{{ m() }}{% endmacro %}", "unknown statement macro (at 1:4)"),
    ] {
        let found = match code {
            Code::Expression => Expression::compile(source).map(drop),
            Code::Template => Template::compile(source).map(drop),
        };
        assert_eq!(found.map_err(|found| found.to_string()), Err(error.to_owned()), "{source}");
    }
    assert!(Template::compile(&"x".repeat(MAX_SOURCE + 1)).is_err());
}

#[test]
fn evaluation_is_bounded() {
    let long = format!("\"{}\"", "字".repeat(400_000));
    let list = format!("[{}0]", "0,".repeat(200_000));
    let endless =
        Template::compile("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}");
    let error =
        endless.and_then(|template| template.render(&context(""))).map_err(|error| error.message.to_string());
    assert_eq!(error, Err("takes more than 20000 steps".to_owned()));
    let error =
        Expression::compile("data | b64decode").and_then(|condition| condition.holds(&context(&long)));
    assert!(error.is_err_and(|error| error.message.to_string().len() < 200));
    for (data, template) in [(&long, "{{ data }}"), (&long, "{{ raw }}{{ raw }}"), (&list, "{{ data }}")] {
        let text = Template::compile(template)
            .and_then(|template| template.render(&context(data)))
            .expect("a cut text");
        assert!(text.len() > MAX_OUTPUT - 4 && text.len() <= MAX_OUTPUT, "{template}: {}", text.len());
    }
    let nested = Template::compile(&"{{ ".chars().chain("(".repeat(2_000).chars()).collect::<String>());
    assert!(nested.is_err());
}

#[test]
fn a_failure_says_what_and_where() {
    for (text, condition, error) in [
        ("some text.", "data | b64decode", "b64decode: not base64: Invalid symbol 46, offset 8. (at 1:8)"),
        ("{}", "data | b64decode", "b64decode: needs a text, not a map (at 1:8)"),
        ("{", "raw | json", "json: not JSON: EOF while parsing an object at line 1 column 1 (at 1:7)"),
        ("{}", "event == 'ping' and\n data.nothing()", "map has no method named nothing (at 2:6)"),
    ] {
        let failure = Expression::compile(condition).and_then(|condition| condition.holds(&context(text)));
        assert_eq!(failure.map_err(|failure| failure.to_string()), Err(error.to_owned()), "{condition}");
    }
}
