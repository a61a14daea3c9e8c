//! The web page: the list of mails, and each mail as its reader sees it.

use std::fmt::Write as _;
use std::sync::Arc;

use super::store::Mail;
use crate::escaped;

/// Renders the list of mails. The page reloads itself to show new ones.
pub(super) fn list(to: &str, mails: &[Arc<Mail>]) -> String {
    let mut body = format!(
        "<form><label>To <input type=\"search\" name=\"to\" value=\"{}\" placeholder=\"all mailboxes\"></label></form>",
        escaped(to)
    );
    if mails.is_empty() {
        body.push_str("<p>No mails.</p>");
    } else {
        body.push_str("<table><thead><tr><th>To<th>Subject<th>Sent</thead><tbody>");
        for mail in mails {
            let _ = write!(
                body,
                "<tr><td>{}<td><a href=\"/mails/{}\">{}</a><td><time>{}</time>",
                escaped(&mail.to.join(", ")),
                mail.id,
                escaped(if mail.subject.is_empty() { "(no subject)" } else { &mail.subject }),
                escaped(&mail.date)
            );
        }
        body.push_str("</tbody></table>");
    }
    page("Mails", "<meta http-equiv=\"refresh\" content=\"5\">", &body)
}

/// Renders a mail: its HTML, its text and its source.
pub(super) fn mail(mail: &Mail) -> String {
    let mut body = format!(
        "<p><a href=\"/\">All mails</a></p><h1>{}</h1><dl><dt>From<dd>{}<dt>To<dd>{}<dt>Sent<dd>{}<dt>Message-ID<dd>{}</dl>",
        escaped(&mail.subject),
        escaped(&mail.from),
        escaped(&mail.to.join(", ")),
        escaped(&mail.date),
        escaped(&mail.message_id)
    );
    if !mail.attachments.is_empty() {
        let _ = write!(body, "<p>Attached: {}</p>", escaped(&mail.attachments.join(", ")));
    }
    if !mail.html.is_empty() {
        let _ = write!(body, "<iframe sandbox title=\"HTML\" src=\"/mails/{}/html\"></iframe>", mail.id);
    }
    let open = if mail.html.is_empty() { " open" } else { "" };
    let _ = write!(body, "<details{open}><summary>Text</summary><pre>{}</pre></details>", escaped(&mail.text));
    let _ = write!(body, "<p><a href=\"/mails/{}/source\">Source</a></p>", mail.id);
    page(&mail.subject, "", &body)
}

fn page(title: &str, head: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">{head}\
         <title>{}</title><style>{STYLE}</style><p class=\"banner\">Mails of this clone: none was forwarded</p><main>{body}</main></html>",
        escaped(title)
    )
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f4f2;color:#1b1b1b}\
.banner{margin:0;padding:.5rem 2rem;background:#fff3c4;font-size:.9rem}\
main{max-width:60rem;margin:1rem auto;padding:1rem 2rem;background:#fff;border:1px solid #ddd;border-radius:.5rem}\
h1{margin:.5rem 0;font-size:1.5rem}table{width:100%;border-collapse:collapse}th,td{padding:.4rem;text-align:start;\
border-bottom:1px solid #eee;overflow-wrap:anywhere}input{font:inherit;padding:.2rem .4rem}dl{display:grid;\
grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:#666}dd{margin:0;overflow-wrap:anywhere}\
iframe{width:100%;height:28rem;border:1px solid #ddd}pre{white-space:pre-wrap;overflow-wrap:anywhere}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_contents_are_escaped() {
        let sent = Mail {
            id: 1,
            message_id: String::new(),
            subject: "<script>".to_owned(),
            from: String::new(),
            to: vec!["\"<img>\"@x".to_owned()],
            date: String::new(),
            text: "<b>".to_owned(),
            html: "<script>alert(1)</script>".to_owned(),
            attachments: Vec::new(),
        };
        let shown = mail(&sent) + &list("", &[Arc::new(sent)]);
        assert!(!shown.contains("<script>") && !shown.contains("<img>") && !shown.contains("<b>"), "{shown}");
        assert!(shown.contains("iframe sandbox"), "{shown}");
    }
}
