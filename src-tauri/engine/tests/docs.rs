//! Every example of a `feeds.toml` in the documents is what the parser takes, and says of mistakes what the parser says.

use std::{fs, path::Path};

use bellwether_engine::config;

/// A fenced block: what stands behind its opening fence, its text, and the line that it begins in.
struct Block {
    info: String,
    text: String,
    line: usize,
}

#[test]
fn examples_of_settings_are_right() {
    for document in ["README.md", "README.zh-CN.md", "docs/feeds.md", "docs/presets.md"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(document);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{document}: {error}"));
        let blocks = blocks(&text);
        assert!(blocks.iter().any(|block| block.info == "toml"), "{document} has no example");
        for (number, block) in blocks.iter().enumerate() {
            let place = format!("{document}, line {}", block.line);
            let parsed = config::parse(&block.text).map(|config| config.feeds.len());
            match block.info.as_str() {
                "toml" => assert!(matches!(parsed, Ok(1..)), "{place}: {parsed:?}"),
                // The block that follows is what is said about it.
                "toml broken" => {
                    let error = parsed.map_err(|error| error.to_string());
                    let said = blocks.get(number + 1).map(|block| block.text.trim().replace('\n', " "));
                    assert_eq!(error.err(), said, "{place}");
                }
                _ => {}
            }
        }
    }
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (line, text) in (1..).zip(markdown.lines()) {
        match (text.strip_prefix("```"), blocks.last_mut()) {
            (Some(_), _) if open => open = false,
            (Some(info), _) => {
                open = true;
                blocks.push(Block { info: info.to_owned(), text: String::new(), line });
            }
            (None, Some(block)) if open => {
                block.text += text;
                block.text.push('\n');
            }
            _ => {}
        }
    }
    blocks
}
