use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn context(text: &str) -> Context {
    let json = serde_json::from_str(text).ok();
    Context::new(Facts {
        event: "ping",
        id: "7",
        size: text.len(),
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

#[test]
fn filters_of_this_field() {
    for (text, template, expected) in [
        (
            r#"{"path":"a/b/c"}"#,
            "{{ data.path | part('/', 2) }}|{{ data.path | part('/', 3) }}|{{ data.gone | part('/', 0) }}",
            "c||",
        ),
        ("7 : x : y", "{{ data | part(' : ', 1) }}", "x"),
        (
            r#"{"a":null,"b":"","c":0,"d":"x"}"#,
            "{{ data.a | default('1') }}{{ data.b | default('2') }}{{ data.c | default('3') }}{{ data.d | default('4') }}{{ data.e | default('5') }}{{ data.c | default('6', true) }}",
            "120x56",
        ),
        (r#"{"a":"","b":0,"c":"x"}"#, "{{ data.gone or data.a or data.b or data.c or 'y' }}", "x"),
        (r#"{"a":{"b":[1,"<x>"]}}"#, "{{ data.a | tojson }}", r#"{"b":[1,"<x>"]}"#),
        (r#"{"p":"{\"n\":3}"}"#, "{{ (data.p | json).n + 1 }}", "4"),
        (r#"{"a":"x","n":2}"#, "{{ data.a ~ '-' ~ data.n * 3 + '!' if data.n }}", "x-6!"),
        (r#"{"n":2}"#, "{% set x, y = data.n, data.n * 2 -%}{{ x + y ** 2 - -1 }}", "19"),
        (
            r#"{"l":["a","b"]}"#,
            "{% for x in data.l if x != 'a' %}{{ loop.index ~ x }}{% endfor %}{{ {'k': {'l': 'v' ~ 'w'}}.k.l }}",
            "1bvw",
        ),
        (
            "x",
            "{% raw %} endraw {{ a ~ b }}{% endraw %}{{ data ~ '}}' ~ \"%}\" }}",
            " endraw {{ a ~ b }}x}}%}",
        ),
        (
            r#"{"l":["a","b"]}"#,
            "{{ data.l | map('upper') | join('+') }} {{ data.l | map('upper') }} {{ data.l[1:] }}",
            r#"A+B ["A","B"] ["b"]"#,
        ),
        (r#"{"n":2.345}"#, "{{ '%.1f °C' | format(data.n) }}", "2.3 °C"),
    ] {
        let rendered = Template::compile(template).and_then(|compiled| compiled.render(&context(text)));
        assert_eq!(rendered.as_deref(), Ok(expected), "{template} of {text}");
    }
}

#[test]
fn html_becomes_plain_text() {
    for (html, text) in [
        (
            "<p>Hello <a href=\"https://example.org/?a>b\" class='x'>@<span>bob</span></a></p><p>Second</p>",
            "Hello @bob\nSecond",
        ),
        ("one<br>two<br />three<BR/>four", "one\ntwo\nthree\nfour"),
        (
            "a &lt; b &amp;&amp; c &gt; d &quot;x&quot; &#39;y&#x27; &hellip;&eacute;&nope;",
            "a < b && c > d \"x\" 'y' …é&nope;",
        ),
        ("1 < 2 and 3 > 2 <3", "1 < 2 and 3 > 2 <3"),
        ("x<script>alert('</b>')</script>y<style>p{}</style>z", "xyz"),
        ("x<script>never </scrip ended", "x"),
        ("a<!-- b > c -->d<!doctype html>e<!-- open", "ade"),
        ("  lots\n of \t <b> space </b> ", "lots of space"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a b"),
        ("<a title=\"never closed", ""),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("&#0;&#x202e;&#1114112;", "&#0;\u{202e}&#1114112;"),
        ("", ""),
    ] {
        let data = serde_json::json!({ "html": html }).to_string();
        let rendered = Template::compile("{{ data.html | striptags }}")
            .and_then(|template| template.render(&context(&data)));
        assert_eq!(rendered.as_deref(), Ok(text), "{html}");
    }
}

#[test]
fn times_are_read_and_written() {
    for (value, filter, text) in [
        ("1737640800", "time(zone='UTC')", "2025-01-23 14:00:00"),
        ("1737640800123", "time('%H:%M:%S%.3f', 'UTC')", "14:00:00.123"),
        ("1737640800.5", "time('%H:%M', 'UTC')", "14:00"),
        ("\"1737640800\"", "time('%A %d %B', 'UTC')", "Thursday 23 January"),
        ("\"2026-07-01T10:00:00Z\"", "time('%H:%M', '+02:00')", "12:00"),
        ("\"2026-07-01T10:00:00+02:00\"", "time('%H:%M', 'UTC')", "08:00"),
        ("null", "time", ""),
        ("\" \"", "time", ""),
    ] {
        let data = format!("{{\"t\":{value}}}");
        let rendered = Template::compile(&format!("{{{{ data.t | {filter} }}}}"))
            .and_then(|template| template.render(&context(&data)));
        assert_eq!(rendered.as_deref(), Ok(text), "{value} | {filter}");
    }
    for (value, filter, error) in [
        ("true", "time", "time: needs Unix seconds, milliseconds or RFC 3339 (at 1:13)"),
        ("\"noon\"", "time", "time: needs Unix seconds, milliseconds or RFC 3339 (at 1:13)"),
        ("1e300", "time", "time: needs Unix seconds, milliseconds or RFC 3339 (at 1:13)"),
        ("0", "time(zone='Nowhere/Town')", "time: no time zone “Nowhere/Town” (at 1:13)"),
    ] {
        let data = format!("{{\"t\":{value}}}");
        let rendered = Template::compile(&format!("{{{{ data.t | {filter} }}}}"))
            .and_then(|template| template.render(&context(&data)));
        assert_eq!(rendered.map_err(|error| error.to_string()), Err(error.to_owned()), "{value} | {filter}");
    }
}

/// Texts that a gigabyte or an hour would come of, with the largest data that there is.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn bombs_end_soon() {
    let large = format!("{{\"t\":\"{}\"}}", "ab".repeat(500_000));
    let list = format!("[{}0]", "0,".repeat(250_000));
    let small = "{\"t\":\"ab\"}";
    let again = |statement: &str| format!("{{% set x = 'x' %}}{}{{{{ x }}}}", statement.repeat(60));
    for (data, bomb) in [
        (small, &*again("{% set x = x ~ x %}")),
        (small, &again("{% set x = x + x %}")),
        (small, &again("{% set x = [x, x] %}")),
        (small, &(again("{% set x = [x, x] %}") + "{{ x == [x] }}{{ x ~ x }}{{ x | string }}")),
        (small, &again("{% set x = {'a': x, 'b': x} %}")),
        (small, &again("{% set x = [x] %}")),
        (small, &again("{% set x = x[0:] %}")),
        (small, &again("{% set x = x, x %}")),
        (small, &again("{% set x = (x or [1]) | reverse %}")),
        (small, &again("{% set x %}{{ x }}{{ x }}{% endset %}")),
        (small, &again("{% set x | upper %}{{ x }}{{ x }}{% endset %}")),
        (small, &again("{% for x in [[x, x]] %}")),
        (
            small,
            &(again("{% for x in [[x, x]] %}").replace("{{ x }}", "{{ x == 1 }}")
                + &"{% endfor %}".repeat(60)),
        ),
        (small, &format!("{{{{ {} }}}}", ["data.t"; 500].join(" ~ "))),
        (&large, &format!("{{{{ {} }}}}", ["data.t"; 400].join(" ~ "))),
        (&large, &format!("{{{{ [{}] | length }}}}", ["data.t[::-1]"; 30].join(", "))),
        (small, "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}"),
        (small, "{{ 'x' * 1000000000 }}"),
        (small, "{{ [0] * 100000000 }}"),
        (small, "{{ ('x' | list) * 99999999 | length }}"),
        (small, "{{ '%999999999d' | format(1) }}"),
        (small, "{{ '%*d' | format(999999999, 1) }}"),
        (small, "{{ 'x' | indent(999999999, true) }}"),
        (small, "{{ 'x' | indent(width=999999999, first=true) }}"),
        (small, "{{ [1] | batch(999999999, 'x') }}"),
        (small, "{{ [1] | slice(999999999) | list | length }}"),
        (
            small,
            "{{ range(100000) | map('replace', '', 'x' ~ '%0999d' | format(1)) | join('%0999d' | format(1)) }}",
        ),
        (&large, "{{ data.t | replace('', data.t) | length }}"),
        (&large, "{{ data.t | join(data.t) | length }}"),
        (&large, "{{ data.t | list | join(data.t) | length }}"),
        (&large, "{% for i in range(9999) %}{% set x = data.t[::-1] %}{% endfor %}"),
        (&large, "{% for i in range(9999) %}{% if 'ba' ~ i in data.t %}{% endif %}{% endfor %}"),
        (
            &large,
            "{{ raw | json | tojson | json | tojson | json | tojson | json | tojson | json | tojson | length }}",
        ),
        (&large, "{{ data.t | list | select('in', data.t | list) | list | length }}"),
        (&large, "{{ data.t | list | sum(start='') }}"),
        (&large, "{{ data.t | upper | lower | title | capitalize | trim | striptags | truncate(9) }}"),
        (&list, "{% for i in data %}{{ data | sort | unique | length }}{% endfor %}"),
        (&list, "{{ data | select('in', data) | list | length }}"),
        (&list, "{% for i in range(500) %}{% if data == (raw | json) %}{% endif %}{% endfor %}"),
    ] {
        let started = std::time::Instant::now();
        let rendered = Template::compile(bomb).and_then(|template| template.render(&context(data)));
        let text = match &rendered {
            Ok(text) => text.clone(),
            Err(error) => error.to_string(),
        };
        assert!(text.len() <= MAX_OUTPUT, "{bomb}");
        assert!(started.elapsed() < Duration::from_secs(30), "{bomb}");
    }
    for bomb in [
        "{% for x in data recursive %}{{ loop([x, x]) }}{% endfor %}",
        "{% with x = [data, data] %}{{ x }}{% endwith %}",
        "{% set ns = namespace(x='x') %}",
        "{{ data | pprint }}",
    ] {
        assert!(Template::compile(bomb).is_err(), "{bomb}");
    }
}

#[test]
fn tags_that_never_end_cost_once() {
    for html in ["<script></a", "<a ='", "<!-", "</", "&#", "<script></script", "<b", "&amp", "< "] {
        let data = serde_json::json!({ "html": html.repeat((1 << 20) / html.len()) }).to_string();
        let started = std::time::Instant::now();
        let rendered = Template::compile("{{ data.html | striptags | length }}")
            .and_then(|template| template.render(&context(&data)));
        assert!(rendered.is_ok() && started.elapsed() < Duration::from_secs(30), "{html}: {rendered:?}");
    }
}

#[test]
fn a_failure_in_a_measured_text_is_placed_in_the_source() {
    for (template, error) in [
        ("{{ data.a ~ 'x' ~ (data | b64decode) }}", "b64decode: needs a text, not a map (at 1:27)"),
        (
            "{% set x = data.a + 1 %}\n{{ x * (data | b64decode) }}",
            "b64decode: needs a text, not a map (at 2:16)",
        ),
        ("{{ 'x' * 3 }}", "* needs numbers, not a string (at 1:4)"),
    ] {
        let rendered =
            Template::compile(template).and_then(|compiled| compiled.render(&context("{\"a\":1}")));
        assert_eq!(rendered.map_err(|error| error.to_string()), Err(error.to_owned()), "{template}");
    }
}

fn any_expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("data.n".to_owned()),
        Just("data.t".to_owned()),
        Just("data.l".to_owned()),
        Just("data.gone".to_owned()),
        Just("data.in.not".to_owned()),
        Just("'a }} %} ~ + * ( \\' b'".to_owned()),
        Just("\"x\" 'y'".to_owned()),
        Just("3".to_owned()),
        Just("1.5e1".to_owned()),
        Just("-2".to_owned()),
        Just("true".to_owned()),
        Just("range(3)".to_owned()),
        Just("x".to_owned()),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let two = (inner.clone(), inner.clone());
        let operator = prop_oneof![
            Just("~"),
            Just(" ~ "),
            Just("+"),
            Just(" + "),
            Just(" * "),
            Just("*"),
            Just(" - "),
            Just("-"),
            Just(" / "),
            Just(" // "),
            Just(" % "),
            Just(" ** "),
            Just(" == "),
            Just(" < "),
            Just(" and "),
            Just(" or "),
            Just(" in "),
            Just(" not in "),
            Just("!="),
            Just(">=")
        ];
        prop_oneof![
            (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("{a}{op}{b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.clone().prop_map(|a| format!("{a} | string | upper")),
            inner.clone().prop_map(|a| format!("{a} is not none")),
            inner.clone().prop_map(|a| format!("{a} is divisibleby 2")),
            two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            two.clone().prop_map(|(a, b)| format!("{{'k': {a}, 'l': {b}}}")),
            two.clone().prop_map(|(a, b)| format!("{a} | default({b}, lax={b})")),
            two.clone().prop_map(|(a, b)| format!("({a}, {b})[{b}]")),
            two.clone().prop_map(|(a, b)| format!("{a} if {b} else {a}")),
            two.prop_map(|(a, b)| format!("({a})[{b}:]")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// What measures a text must not change what it says, nor miss what MiniJinja takes for code.
    #[test]
    fn measures_change_nothing(
        (a, b, c) in (any_expression(), any_expression(), any_expression()),
        shape in prop::sample::select(vec![
            "A", "{{ A }}", "{{- A -}}", "{% set x = A %}{{ B }}{{ x }}", "{%+ set x, y = A, B %}{{ x }}{{ y }}",
            "{% for x in A %}{{ B }}{% else %}{{ C }}{% endfor %}", "{%- for x in A if B -%}{{ C }}{%- endfor -%}",
            "{% if A %}{{ B }}{% elif C %}2{% endif %}", "{% set x %}{{ A }}{% endset %}{{ B }}", "{% raw %}{{ A }}{% endraw %}{{ B }}",
            "{# {{ A }} #}{{ B }}", "{% filter upper %}{{ A }}{% endfilter %}", "{{ {'a': A}.a }}{% set x = {'a': {'b': B}} %}{{ x.a.b ~ C }}",
        ]),
    ) {
        let source = shape.replace('A', &a).replace('B', &b).replace('C', &c);
        let source = if shape == "A" { format!("{{{{ {source} }}}}") } else { source };
        let context = context(r#"{"n":2,"t":"ab","l":[1,"c"],"in":{"not":4}}"#);
        let mut plain = ENVIRONMENT.clone();
        if plain.add_template_owned(ONLY, source.clone()).is_err() {
            return Ok(());
        }
        let Ok(guarded) = Guarded::new(Code::Template, &source) else { return Ok(()) };
        let mut measured = ENVIRONMENT.clone();
        let compiled = measured.add_template_owned(ONLY, guarded.code.clone());
        prop_assert!(compiled.is_ok(), "{source}\n{}", guarded.code);
        let render = |environment: &Environment<'_>| {
            environment.get_template(ONLY).and_then(|template| template.render(context.values.clone()))
        };
        match (render(&plain), render(&measured)) {
            (Ok(plain), Ok(measured)) => prop_assert_eq!(plain, measured, "{}\n{}", source, guarded.code),
            (Ok(_), Err(error)) => {
                let refused = error.detail().is_some_and(|detail| detail.starts_with("* needs numbers"));
                prop_assert!(refused, "{source}\n{}\n{error}", guarded.code);
            }
            // The brackets around what `for` goes through end a test before them, as in `x is none if y`.
            (Err(_), _) => {}
        }
    }
}
