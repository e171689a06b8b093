//! Hosts that serve everybody: malware uses them, and so does half of the honest world. Their name alone says nothing.

/// Services where anybody may put or fetch things, and those that everybody asks.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "anonfiles.com",
    "api.ipify.org",
    "archive.org",
    "azurewebsites.net",
    "bit.ly",
    "bitbucket.org",
    "blob.core.windows.net",
    "blogspot.com",
    "catbox.moe",
    "cdn.discordapp.com",
    "cloudflare.com",
    "cloudfront.net",
    "codeload.github.com",
    "discord.com",
    "discord.gg",
    "discordapp.com",
    "docker.io",
    "dropbox.com",
    "duckdns.org",
    "e.pipedream.net",
    "files.pythonhosted.org",
    "firebaseio.com",
    "getsession.org",
    "ghcr.io",
    "gist.github.com",
    "gist.githubusercontent.com",
    "github.com",
    "github.io",
    "githubusercontent.com",
    "gitlab.com",
    "gitlab.io",
    "glitch.me",
    "gofile.io",
    "google.com",
    "googleapis.com",
    "hastebin.com",
    "herokuapp.com",
    "huggingface.co",
    "icanhazip.com",
    "ifconfig.me",
    "imgur.com",
    "interact.sh",
    "ipapi.co",
    "ipify.org",
    "ipinfo.io",
    "ix.io",
    "keybase.pub",
    "mediafire.com",
    "mega.nz",
    "microsoft.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "npmjs.com",
    "npmjs.org",
    "nuget.org",
    "oast.fun",
    "oast.live",
    "oast.me",
    "oast.online",
    "oast.pro",
    "oast.site",
    "onrender.com",
    "pages.dev",
    "paste.ee",
    "pastebin.com",
    "pastebin.pl",
    "pastie.io",
    "pipedream.net",
    "plesk.page",
    "pypi.org",
    "pypi.python.org",
    "python.org",
    "pythonanywhere.com",
    "pythonhosted.org",
    "raw.githubusercontent.com",
    "readthedocs.io",
    "registry.npmjs.org",
    "render.com",
    "replit.app",
    "replit.dev",
    "repl.co",
    "requestbin.net",
    "rentry.co",
    "s3.amazonaws.com",
    "sentry.io",
    "serveo.net",
    "sourceforge.net",
    "storage.googleapis.com",
    "t.me",
    "telegra.ph",
    "telegram.org",
    "termbin.com",
    "transfer.sh",
    "trycloudflare.com",
    "twitter.com",
    "vercel.app",
    "webhook.site",
    "wikipedia.org",
    "workers.dev",
    "x.com",
    "youtube.com",
];

/// Services that give every customer a name below their own: that name is the customer's.
const HOSTING: &[&str] = &[
    "azurewebsites.net",
    "blob.core.windows.net",
    "blogspot.com",
    "cloudfront.net",
    "duckdns.org",
    "firebaseio.com",
    "github.io",
    "gitlab.io",
    "glitch.me",
    "herokuapp.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "onrender.com",
    "pages.dev",
    "pipedream.net",
    "plesk.page",
    "pythonanywhere.com",
    "readthedocs.io",
    "replit.app",
    "replit.dev",
    "repl.co",
    "trycloudflare.com",
    "vercel.app",
    "workers.dev",
];

/// Whether a host name says nothing by itself, because others share it.
#[must_use]
pub fn is_shared(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    let below = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    let is_customers = HOSTING.iter().any(|name| below(name));
    !is_customers && SHARED.iter().any(|name| host == *name || below(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_share_says_nothing() {
        for host in [
            "github.com",
            "api.github.com",
            "Discord.com",
            "litter.catbox.moe",
            "seed1.getsession.org",
            "herokuapp.com",
        ] {
            assert!(is_shared(host), "{host}");
        }
        for host in
            ["evil.example", "notgithub.com", "anti-theft-web.herokuapp.com", "x.m.pipedream.net", "checkmarx.zone"]
        {
            assert!(!is_shared(host), "{host}");
        }
    }
}
