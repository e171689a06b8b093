//! What the texts of a source name: secrets, addresses, places where programs start by themselves, encoded blocks.

use std::sync::LazyLock;

use regex::Regex;

use crate::model::startup::Feature;

/// What is looked for in texts that are handed to something.
static PATTERNS: LazyLock<Vec<(Feature, Regex)>> = LazyLock::new(|| {
    let all = [
        (Feature::Blob, r"[A-Za-z0-9+/=_-]{120,}"),
        (Feature::Address, r"(?i)\b(?:https?|ftp|wss?)://|\b(?:\d{1,3}\.){3}\d{1,3}\b"),
        (
            Feature::CredentialPath,
            r"(?i)\.ssh(?:[/\\]|$)|\bid_(?:rsa|ed25519|ecdsa)\b|\.aws(?:[/\\]|$)|\.kube(?:[/\\]|$)|\.netrc\b|\.pypirc\b|\.npmrc\b|\.git-credentials|\.docker[/\\]config|\.gnupg|/etc/shadow|169\.254\.169\.254|metadata\.google\.internal|(?:^|[/\\])\.env(?:\.[a-z]+)?$|\.config[/\\]gcloud|\.azure(?:[/\\]|$)|application_default_credentials|\.vault-token|[/\\](?:Login Data|Cookies|key4\.db|logins\.json)$|/proc/[^/]+/environ|wallet\.dat|\.electrum|\.ethereum|[/\\]keystore[/\\]|serviceaccount[/\\]token",
        ),
        (
            Feature::Persistence,
            r"(?i)\.bashrc|\.bash_profile|\.profile$|\.zshrc|\.zshenv|authorized_keys|systemd[/\\](?:user|system)|\.service$|/etc/cron|crontab|cron\.d|LaunchAgents|LaunchDaemons|\.config[/\\]autostart|/etc/profile|/etc/ld\.so\.preload|CurrentVersion\\+Run|\\Startup\\|\.pth$|(?:site|user)customize\.py$",
        ),
    ];
    all.into_iter().filter_map(|(feature, source)| Some((feature, Regex::new(source).ok()?))).collect()
});

/// What a text names.
pub(super) fn features(text: &str) -> impl Iterator<Item = Feature> {
    PATTERNS.iter().filter(move |(_, find)| find.is_match(text)).map(|(feature, _)| *feature)
}

/// Whether an environment variable is one that holds a secret, by its name.
pub(super) fn is_secret_variable(name: &str) -> bool {
    const WORDS: &[&str] =
        &["TOKEN", "SECRET", "PASSW", "CREDENTIAL", "API_KEY", "APIKEY", "ACCESS_KEY", "PRIVATE_KEY"];
    let upper = name.to_uppercase();
    WORDS.iter().any(|word| upper.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_finds() {
        assert_eq!(PATTERNS.len(), 4);
        let of = |text: &str| features(text).collect::<Vec<_>>();
        assert_eq!(of("~/.ssh/id_ed25519"), [Feature::CredentialPath]);
        assert_eq!(of("/home/a/.aws"), [Feature::CredentialPath]);
        assert_eq!(of(".environment"), []);
        assert_eq!(of("app/.env"), [Feature::CredentialPath]);
        assert_eq!(of("http://169.254.169.254/latest"), [Feature::Address, Feature::CredentialPath]);
        assert_eq!(of("~/.config/systemd/user/x.service"), [Feature::Persistence]);
        assert_eq!(of(&"QUJD".repeat(40)), [Feature::Blob]);
        assert!(is_secret_variable("GITHUB_TOKEN") && !is_secret_variable("HOME"));
    }
}
