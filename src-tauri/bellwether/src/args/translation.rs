//! The help in other languages. English stands with the grammar itself; what it is in Chinese is looked up by it.

use std::collections::HashMap;

use clap::{Arg, ArgAction, Command, builder::StyledStr};

/// English text to Chinese.
pub(super) type Texts = HashMap<String, String>;

/// Clap's own layout, with the one word in it that cannot be set.
const TEMPLATE: &str = "{before-help}{about-with-newline}\n用法：{usage}\n\n{all-args}{after-help}";

pub(super) fn texts() -> Texts {
    // The file is part of the program and a test reads it.
    serde_json::from_str(include_str!("../../../control/messages/help.zh-CN.json")).unwrap_or_default()
}

/// The command with every text of its help, and of its subcommands', in Chinese.
pub(super) fn translated(command: Command, texts: &Texts) -> Command {
    let in_chinese = |text: &StyledStr| {
        let text = text.to_string();
        match (texts.get(&text), examples(&text)) {
            (Some(chinese), _) => chinese.clone(),
            (None, Some(examples)) => format!("示例：\n{examples}"),
            (None, None) => text,
        }
    };
    let about = command.get_about().map(in_chinese);
    let after_help = command.get_after_help().map(in_chinese);
    let has_version = command.get_version().is_some();
    let mut command = command
        .mut_args(|arg| {
            let help = arg.get_help().map(in_chinese);
            let heading = if arg.is_positional() { "参数" } else { "选项" };
            let arg = arg.help_heading(heading);
            match help {
                Some(help) => arg.help(help),
                None => arg,
            }
        })
        .mut_subcommands(|command| translated(command, texts))
        .help_template(TEMPLATE)
        .subcommand_help_heading("命令")
        .subcommand_value_name("命令")
        .disable_help_flag(true)
        .arg(flag("help", 'h', ArgAction::Help, "显示帮助"));
    if has_version {
        command =
            command.disable_version_flag(true).arg(flag("version", 'V', ArgAction::Version, "显示版本"));
    }
    if let Some(about) = about {
        command = command.about(about);
    }
    if let Some(text) = after_help {
        command = command.after_help(text);
    }
    command
}

/// The commands of a text that has nothing but examples.
fn examples(text: &str) -> Option<&str> {
    text.strip_prefix("Example:\n").or_else(|| text.strip_prefix("Examples:\n"))
}

fn flag(name: &'static str, short: char, action: ArgAction, help: &'static str) -> Arg {
    Arg::new(name).short(short).long(name).action(action).help(help).help_heading("选项")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::args::Arguments;

    fn collect(command: &Command, found: &mut BTreeSet<String>) {
        let args = command.get_arguments().filter_map(Arg::get_help);
        let own = [command.get_about(), command.get_after_help()].into_iter().flatten();
        found.extend(args.chain(own).map(ToString::to_string).filter(|text| examples(text).is_none()));
        command.get_subcommands().for_each(|command| collect(command, found));
    }

    #[test]
    fn every_text_of_the_help_is_there_in_chinese_and_no_other() {
        let mut found = BTreeSet::new();
        collect(&Arguments::command(), &mut found);
        let texts = texts();
        assert_eq!(texts.keys().cloned().collect::<BTreeSet<_>>(), found);
        let foreign = |text: &String| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        assert!(texts.values().all(foreign), "{texts:#?}");
    }

    #[test]
    fn the_help_is_chinese_throughout() {
        let mut command = translated(Arguments::command(), &texts());
        let help = command.render_help().to_string();
        for part in ["用法：bellwether", "命令:", "选项:", "显示帮助", "显示版本", "--profile"]
        {
            assert!(help.contains(part), "{part}: {help}");
        }
        for part in ["Usage", "Options:", "Commands", "Print", "Examples"] {
            assert!(!help.contains(part), "{part}: {help}");
        }
    }
}
