//! Renders messages from templates. Each language has a folder in `templates/` with a title, a mail as text and as HTML, and a text
//! message. askama escapes values in HTML.

use askama::Template;
use notification_core::domain::{CancelReason, Channel, Link, Locale, NotificationContent, Order, RenderedMessage};
use notification_core::ports::MessageRenderer;

/// The largest number of characters of a title.
const MAX_TITLE_CHARS: usize = 150;

/// The shop that messages are from.
#[derive(Debug, Clone)]
pub struct Shop {
    name: String,
    url: String,
}

impl Shop {
    /// Creates a shop with the URL of its pages.
    pub fn new(name: &str, url: &str) -> Self {
        Self { name: name.to_owned(), url: url.to_owned() }
    }
}

/// Renders the messages of a shop.
#[derive(Debug, Clone)]
pub struct Templates(Shop);

impl Templates {
    /// Creates a renderer for this shop.
    pub fn new(shop: Shop) -> Self {
        Self(shop)
    }
}

/// The values of every template.
#[derive(Clone, Copy)]
struct View<'a> {
    shop: &'a Shop,
    content: &'a NotificationContent,
}

impl View<'_> {
    /// Returns the URL of a link. The secret is in the fragment, which browsers do not send and servers do not log.
    fn link(&self, link: &Link) -> String {
        let page =
            if matches!(self.content, NotificationContent::Reset(_)) { "reset-password" } else { "verify-email" };
        format!("{}/{page}#token={}", self.shop.url, link.token)
    }

    /// Returns the URL of an order's page.
    fn page(&self, order: &Order) -> String {
        format!("{}/orders/{}", self.shop.url, order.id.0)
    }
}

/// Returns when a link expires, to the minute.
fn until(link: &Link) -> String {
    let at = link.expires_at.get();
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// Defines a template for each file. askama reads the files at compile time.
macro_rules! templates {
    ($($name:ident $path:literal)*) => {
        $(
            #[derive(Template)]
            #[template(path = $path)]
            struct $name<'a> {
                view: View<'a>,
            }
        )*
    };
}

templates! {
    EnglishTitle "en/title.txt"
    EnglishText "en/mail.txt"
    EnglishHtml "en/mail.html"
    EnglishSms "en/sms.txt"
    UrduTitle "ur/title.txt"
    UrduText "ur/mail.txt"
    UrduHtml "ur/mail.html"
    UrduSms "ur/sms.txt"
}

/// Renders a template into memory, which cannot fail.
fn render(template: impl Template) -> String {
    template.render().expect("rendering into memory succeeds")
}

/// Returns a text as one line for a header, without control characters and without characters that change the text's direction.
fn header(text: &str) -> String {
    let is_direction = |char: char| matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    single_line(&plain).chars().filter(|char| !is_direction(*char)).take(MAX_TITLE_CHARS).collect()
}

/// Removes empty lines at the ends, and all but one between two paragraphs.
fn paragraphs(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.trim().lines().map(str::trim_end) {
        if !(line.is_empty() && lines.last().is_some_and(|previous| previous.is_empty())) {
            lines.push(line);
        }
    }
    lines.join("\n") + "\n"
}

impl MessageRenderer for Templates {
    fn render(&self, content: &NotificationContent, channel: Channel, locale: Locale) -> RenderedMessage {
        let view = View { shop: &self.0, content };
        let (title, text, html) = match (locale, channel) {
            (Locale::English, Channel::Mail) => {
                (render(EnglishTitle { view }), render(EnglishText { view }), render(EnglishHtml { view }))
            }
            (Locale::English, Channel::Sms) => {
                (render(EnglishTitle { view }), render(EnglishSms { view }), String::new())
            }
            (Locale::Urdu, Channel::Mail) => {
                (render(UrduTitle { view }), render(UrduText { view }), render(UrduHtml { view }))
            }
            (Locale::Urdu, Channel::Sms) => (render(UrduTitle { view }), render(UrduSms { view }), String::new()),
        };
        let text = if channel == Channel::Sms { single_line(&text) } else { paragraphs(&text) };
        RenderedMessage { title: header(&title), text, html: html.trim().to_owned() }
    }
}

/// Joins all words with single spaces.
fn single_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use mart_kernel::{Money, Timestamp};
    use notification_core::domain::{Kind, Line, OrderId};

    use super::*;

    const TOKEN: &str = "s3cr3t-t0k3n";

    fn templates() -> Templates {
        Templates::new(Shop::new("mart", "https://shop.example"))
    }

    fn pkr(amount: &str) -> Money {
        Money::parse(amount, "PKR").expect("money")
    }

    /// Returns a content of each kind. Its texts are `text`; `known` sets the optional values.
    fn contents(text: &str, known: bool) -> Vec<NotificationContent> {
        let expires_at = Timestamp::from_unix_micros(1_800_000_000_000_000).expect("in range");
        let link = || Link { name: text.to_owned(), token: TOKEN.to_owned(), expires_at };
        let some = |amount: &str| known.then(|| pkr(amount));
        let line = || Line { name: text.to_owned(), quantity: 2, sum: some("3000.00") };
        let lines = || if known { vec![line()] } else { Vec::new() };
        let id = OrderId("0190a1b2-0000-7000-8000-00000000abcd".parse().expect("an id"));
        let order = || Order { id, name: text.to_owned(), lines: lines(), total: some("3000.00") };
        let reason = known.then_some(CancelReason::NotPaid);
        vec![
            NotificationContent::Registration(link()),
            NotificationContent::Reset(link()),
            NotificationContent::Placed(order()),
            NotificationContent::Paid(order()),
            NotificationContent::Failed { order: order(), reason: text.to_owned() },
            NotificationContent::Shipped { order: order(), carrier: text.to_owned(), tracking: text.to_owned() },
            NotificationContent::Delivered(order()),
            NotificationContent::Cancelled { order: order(), reason },
            NotificationContent::Refunded { order: order(), amount: some("1000.00") },
        ]
    }

    /// Returns the message of each kind, channel and language.
    fn messages(text: &str, known: bool) -> Vec<(Kind, Channel, Locale, RenderedMessage)> {
        let mut all = Vec::new();
        for content in contents(text, known) {
            for channel in Channel::ALL {
                for locale in [Locale::English, Locale::Urdu] {
                    all.push((content.kind(), channel, locale, templates().render(&content, channel, locale)));
                }
            }
        }
        all
    }

    #[test]
    fn messages_are_complete_without_optional_values() {
        for known in [true, false] {
            for (kind, channel, locale, message) in messages(if known { "Ayesha" } else { "" }, known) {
                let context =
                    format!("{kind:?} by {channel:?} in {locale:?}, known: {known}: {message:?}\n{}", message.text);
                let letters = |text: &str| text.chars().filter(|char| char.is_alphabetic()).count();
                let urdu = |text: &str| text.chars().filter(|char| ('\u{600}'..='\u{6ff}').contains(char)).count();
                assert!(letters(&message.title) > 5 && letters(&message.text) > 20, "{context}");
                match locale {
                    Locale::Urdu => assert!(urdu(&message.title) > 5 && urdu(&message.text) > 15, "{context}"),
                    Locale::English => assert!(urdu(&message.title) == 0 && urdu(&message.text) == 0, "{context}"),
                }
                // A missing value leaves neither a placeholder nor a gap.
                for gap in ["None", "Some", "  ", "()", ": .", ": ,", " .", " ,", "،،"] {
                    let complete = message.text.lines().all(|line| !line.trim_start().contains(gap));
                    assert!(complete, "{gap:?}: {context}");
                }
                let html = message.html.starts_with("<!doctype html>") && message.html.ends_with("</html>");
                assert_eq!(html, channel == Channel::Mail, "{context}");
                let right_to_left = message.html.contains("<html lang=\"ur\" dir=\"rtl\">");
                assert_eq!(right_to_left, channel == Channel::Mail && locale == Locale::Urdu, "{context}");
                if channel == Channel::Mail && matches!(kind, Kind::Registration | Kind::Reset) {
                    let page = if kind == Kind::Reset { "reset-password" } else { "verify-email" };
                    let link = format!("https://shop.example/{page}#token={TOKEN}");
                    let href = format!("href=\"{link}\"");
                    assert!(message.text.contains(&link) && message.html.contains(&href), "{context}");
                } else if channel == Channel::Mail {
                    assert!(message.text.contains("0190a1b2-0000-7000-8000-00000000abcd"), "{context}");
                }
            }
        }
    }

    #[test]
    fn mails_contain_the_known_values() {
        let mail = |kind: Kind, locale: Locale| {
            let all = messages("Ayesha", true);
            let found = all
                .into_iter()
                .find(|(other, channel, language, _)| (*other, *channel, *language) == (kind, Channel::Mail, locale));
            found.expect("a mail of each kind").3
        };
        for locale in [Locale::English, Locale::Urdu] {
            for (kind, value) in [
                (Kind::Placed, "3000.00 PKR"),
                (Kind::Paid, "3000.00 PKR"),
                (Kind::Refunded, "1000.00 PKR"),
                (Kind::Registration, "2027-01-15 08:00 UTC"),
            ] {
                let mail = mail(kind, locale);
                assert!(mail.text.contains(value) && mail.html.contains(value), "{kind:?}: {}", mail.text);
            }
        }
    }

    #[test]
    fn no_value_becomes_markup_or_a_header() {
        let evil = "<script>alert('x')</script>\"&\r\nBcc: all@mart.example\u{202e}";
        for (kind, channel, locale, message) in messages(evil, true) {
            let context = format!("{kind:?} by {channel:?} in {locale:?}: {}", message.html);
            assert!(!message.html.contains("<script") && !message.html.contains("alert('"), "{context}");
            assert!(!message.title.contains(['\r', '\n', '\u{202e}']), "{context}");
        }
        assert_eq!(header(evil), "<script>alert('x')</script>\"& Bcc: all@mart.example");
        assert_eq!(header(&"x".repeat(1000)).len(), MAX_TITLE_CHARS);
    }
}
