//! Whether the program starts when the person signs in.

use std::{env, path::PathBuf};

use bellwether_control::paths::Profile;

/// How this program would be started at a sign-in.
#[derive(Clone, Debug)]
pub(crate) struct Autostart {
    /// The program: the file that the person started, and not what an AppImage unpacked.
    program: PathBuf,
    arguments: Vec<String>,
    #[cfg(target_os = "linux")]
    file: Option<PathBuf>,
}

impl Autostart {
    pub(crate) fn of(profile: &Profile) -> Self {
        let image = env::var_os("APPIMAGE").filter(|path| !path.is_empty()).map(PathBuf::from);
        let program =
            image.or_else(|| env::current_exe().ok()).unwrap_or_else(|| PathBuf::from("bellwether"));
        let mut arguments = vec!["--background".to_owned()];
        if let Some(folder) = &profile.folder {
            arguments.extend(["--profile".to_owned(), folder.display().to_string()]);
        }
        Self {
            program,
            arguments,
            #[cfg(target_os = "linux")]
            file: system::file(profile),
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use std::{fs, io, path::PathBuf};

    use bellwether_control::paths::Profile;
    use directories::BaseDirs;

    use super::Autostart;

    /// Where desktops look for what to start (XDG Desktop Application Autostart, 0.5).
    pub(super) fn file(profile: &Profile) -> Option<PathBuf> {
        let folder = BaseDirs::new()?.config_dir().join("autostart");
        // Profiles start beside each other.
        let name = match &profile.folder {
            None => "bellwether.desktop".to_owned(),
            Some(folder) => format!("bellwether-{:08x}.desktop", super::hash(&folder.display().to_string())),
        };
        Some(folder.join(name))
    }

    impl Autostart {
        /// Where it stands.
        pub(crate) fn place(&self) -> String {
            self.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default()
        }

        pub(crate) fn is_enabled(&self) -> bool {
            let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok());
            text.is_some_and(|text| !is_hidden(&text))
        }

        pub(crate) fn set(&self, wanted: bool) -> Result<(), String> {
            let Some(file) = &self.file else {
                return Err("no home folder was found for this user".to_owned());
            };
            let result = if wanted { write(file, &self.entry()) } else { remove(file) };
            result.map_err(|error| error.to_string())
        }

        /// The desktop entry.
        pub(super) fn entry(&self) -> String {
            let program = self.program.display().to_string();
            let words = std::iter::once(&program).chain(&self.arguments);
            let words: Vec<String> = words.map(|word| quoted(word)).collect();
            format!(
                "[Desktop Entry]\nType=Application\nName=Bellwether\nComment=Popups from event streams\nExec={}\n\
                 Icon=bellwether\nTerminal=false\nX-GNOME-Autostart-enabled=true\n",
                escaped(&words.join(" "))
            )
        }
    }

    /// A person or a desktop has switched it off and left it there.
    pub(super) fn is_hidden(text: &str) -> bool {
        let off = |line: &str| {
            let (key, value) = line.split_once('=').unwrap_or_default();
            match (key.trim(), value.trim()) {
                ("Hidden", value) => value == "true",
                ("X-GNOME-Autostart-enabled", value) => value == "false",
                _ => false,
            }
        };
        text.lines().any(off)
    }

    /// A word of `Exec` (Desktop Entry Specification 1.5, "The Exec key").
    fn quoted(word: &str) -> String {
        let word = word.replace('%', "%%");
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.,:+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            return word;
        }
        let mut text = String::from("\"");
        for c in word.chars() {
            if matches!(c, '"' | '`' | '$' | '\\') {
                text.push('\\');
            }
            text.push(c);
        }
        text + "\""
    }

    /// A value of the type string, in which a backslash begins an escape.
    fn escaped(value: &str) -> String {
        value.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
    }

    fn write(file: &PathBuf, entry: &str) -> io::Result<()> {
        let folder = file.parent().ok_or_else(|| io::Error::other("no folder"))?;
        fs::create_dir_all(folder)?;
        let mut new = tempfile::Builder::new().prefix(".bellwether").tempfile_in(folder)?;
        io::Write::write_all(&mut new, entry.as_bytes())?;
        new.persist(file)?;
        Ok(())
    }

    fn remove(file: &PathBuf) -> io::Result<()> {
        match fs::remove_file(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use auto_launch::{AutoLaunch, AutoLaunchBuilder, MacOSLaunchMode};

    use super::Autostart;

    impl Autostart {
        /// Where it stands.
        pub(crate) fn place(&self) -> String {
            if cfg!(target_os = "macos") {
                "~/Library/LaunchAgents/Bellwether.plist".to_owned()
            } else {
                r"HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Run".to_owned()
            }
        }

        pub(crate) fn is_enabled(&self) -> bool {
            self.entry()
                .and_then(|entry| entry.is_enabled().map_err(|error| error.to_string()))
                .unwrap_or(false)
        }

        pub(crate) fn set(&self, wanted: bool) -> Result<(), String> {
            let entry = self.entry()?;
            let result = if wanted { entry.enable() } else { entry.disable() };
            result.map_err(|error| error.to_string())
        }

        fn entry(&self) -> Result<AutoLaunch, String> {
            let mut builder = AutoLaunchBuilder::new();
            builder
                .set_macos_launch_mode(MacOSLaunchMode::LaunchAgent)
                .set_app_name("Bellwether")
                .set_app_path(&self.program.display().to_string())
                .set_args(&self.arguments);
            builder.build().map_err(|error| error.to_string())
        }
    }
}

/// Tells profiles apart.
#[cfg(target_os = "linux")]
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn autostart(program: &str, arguments: &[&str]) -> Autostart {
        let arguments = arguments.iter().map(|word| (*word).to_owned()).collect();
        Autostart { program: PathBuf::from(program), arguments, file: None }
    }

    #[test]
    fn programs_and_arguments_are_quoted_as_the_specification_wants() {
        for (program, argument, exec) in [
            ("/usr/bin/bellwether", "--background", "/usr/bin/bellwether --background"),
            ("/home/alice/My Apps/b", "a b", r#""/home/alice/My Apps/b" "a b""#),
            ("/x/100%", "", r#"/x/100%% """#),
            ("/x/$HOME", "`\"\\", r#""/x/\\$HOME" "\\`\\"\\\\""#),
            ("/x/钟", "~", r#""/x/钟" "~""#),
        ] {
            let entry = autostart(program, &[argument]).entry();
            let line = entry.lines().find_map(|line| line.strip_prefix("Exec="));
            assert_eq!(line, Some(exec), "{program} {argument}");
        }
    }

    #[test]
    fn it_is_on_while_its_file_is_there_and_not_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("autostart/bellwether.desktop");
        let autostart = Autostart { file: Some(file.clone()), ..autostart("/b", &["--background"]) };
        assert!(!autostart.is_enabled());
        autostart.set(true).unwrap();
        assert!(autostart.is_enabled());
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{text}Hidden=true\n")).unwrap();
        assert!(!autostart.is_enabled());
        autostart.set(true).unwrap();
        assert!(autostart.is_enabled());
        autostart.set(false).unwrap();
        autostart.set(false).unwrap();
        assert!(!autostart.is_enabled() && !file.exists());
    }
}
