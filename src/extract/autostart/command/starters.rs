//! Commands that start another one: `env`, `sudo`, `nohup` and their like, and what stands between them and that one.

use super::is_assignment;
use crate::extract::format::shell_words::Word;

/// A command that starts the one behind its options.
pub(super) struct Starter {
    pub(super) name: &'static [u8],
    /// How many words of its own stand in front of that one.
    own: usize,
    /// Options of it that take the next word.
    takes: &'static [&'static [u8]],
}

const fn starter(name: &'static [u8], own: usize, takes: &'static [&'static [u8]]) -> Starter {
    Starter { name, own, takes }
}

/// All of them.
pub(super) const ALL: &[Starter] = &[
    starter(b"env", 0, &[b"-u", b"--unset", b"-C", b"--chdir"]),
    starter(b"exec", 0, &[b"-a"]),
    starter(b"command", 0, &[]),
    starter(b"sudo", 0, &[b"-u", b"-g", b"-p", b"-C", b"-h", b"-r", b"-t", b"-T", b"-U", b"-D", b"-R"]),
    starter(b"doas", 0, &[b"-u", b"-C"]),
    starter(b"nohup", 0, &[]),
    starter(b"nice", 0, &[b"-n"]),
    starter(b"ionice", 0, &[b"-c", b"-n", b"-p"]),
    starter(b"chrt", 1, &[b"-p"]),
    starter(b"setsid", 0, &[]),
    starter(b"stdbuf", 0, &[b"-i", b"-o", b"-e"]),
    starter(b"timeout", 1, &[b"-s", b"-k"]),
    starter(b"flock", 1, &[b"-w", b"-E"]),
    starter(b"systemd-run", 0, &[b"-u", b"-p", b"-E", b"-H", b"-M", b"--unit", b"--property", b"--setenv"]),
    starter(b"systemd-cat", 0, &[b"-t", b"-p"]),
    starter(b"systemd-inhibit", 0, &[]),
    starter(b"runuser", 0, &[b"-u", b"-g", b"-G", b"-s"]),
    starter(b"setpriv", 0, &[]),
    starter(b"chroot", 1, &[]),
    starter(b"busybox", 0, &[]),
    starter(b"xargs", 0, &[b"-n", b"-I", b"-P", b"-L", b"-d"]),
    starter(b"pkexec", 0, &[b"--user"]),
    starter(b"gosu", 1, &[]),
    starter(b"setuidgid", 1, &[]),
    starter(b"chpst", 0, &[b"-u", b"-U", b"-b", b"-e"]),
    starter(b"taskset", 1, &[b"-p"]),
    starter(b"prlimit", 0, &[]),
    starter(b"setarch", 1, &[]),
    starter(b"unshare", 0, &[]),
    starter(b"nsenter", 0, &[b"-t"]),
    starter(b"firejail", 0, &[]),
    starter(b"strace", 0, &[b"-o", b"-e", b"-p"]),
    starter(b"fakeroot", 0, &[]),
    starter(b"torsocks", 0, &[]),
    starter(b"torify", 0, &[]),
    starter(b"proxychains", 0, &[b"-f"]),
    starter(b"proxychains4", 0, &[b"-f"]),
    starter(b"watch", 0, &[b"-n"]),
    starter(b"parallel", 0, &[b"-j"]),
    starter(b"coproc", 0, &[]),
    starter(b"run-one", 0, &[]),
    starter(b"daemonize", 0, &[b"-c", b"-p", b"-l", b"-u", b"-o", b"-e"]),
    starter(b"chronic", 0, &[]),
    starter(b"cronic", 0, &[]),
    starter(b"dbus-run-session", 0, &[]),
];

impl Starter {
    /// The command that it starts: behind options, words of its own, and assignments.
    pub(super) fn behind<'w>(&self, arguments: &'w [Word]) -> &'w [Word] {
        let own = self.behind_options(arguments).get(self.own..).unwrap_or_default();
        let rest = self.behind_options(own);
        let assigned = rest.iter().take_while(|word| is_assignment(&word.text)).count();
        rest.get(assigned..).unwrap_or_default()
    }

    fn behind_options<'w>(&self, words: &'w [Word]) -> &'w [Word] {
        let mut words = words;
        while let Some((first, rest)) = words.split_first().filter(|(first, _)| first.text.starts_with(b"-")) {
            let takes = self.takes.contains(&first.text.as_slice());
            words = if takes { rest.get(1..).unwrap_or_default() } else { rest };
        }
        words
    }
}
