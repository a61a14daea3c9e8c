//! MessageRenderer from templates: a folder of `templates/` per language, each with a title, a mail as text and as HTML, and a message to a
//! phone. askama escapes what goes into HTML.

use askama::Template;
use notification_core::domain::{CancelReason, Channel, Link, Locale, NotificationContent, Order, RenderedMessage};
use notification_core::ports::MessageRenderer;

/// A title is one line of at most so many characters.
const LONGEST_TITLE: usize = 150;

/// Whose letters they are.
#[derive(Debug, Clone)]
pub struct Shop {
    name: String,
    url: String,
}

impl Shop {
    /// The shop of this name, whose pages are at this address.
    pub fn new(name: &str, url: &str) -> Self {
        Self { name: name.to_owned(), url: url.to_owned() }
    }
}

/// Writes letters of a shop.
#[derive(Debug, Clone)]
pub struct Templates(Shop);

impl Templates {
    /// Writes for this shop.
    pub fn new(shop: Shop) -> Self {
        Self(shop)
    }
}

/// What every template sees.
#[derive(Clone, Copy)]
struct View<'a> {
    shop: &'a Shop,
    content: &'a NotificationContent,
}

impl View<'_> {
    /// Where a link leads. What proves the mailbox stands behind `#`, which browsers don't send and servers don't log.
    fn link(&self, link: &Link) -> String {
        let page =
            if matches!(self.content, NotificationContent::Reset(_)) { "reset-password" } else { "verify-email" };
        format!("{}/{page}#token={}", self.shop.url, link.token)
    }

    /// Where an order can be looked at.
    fn page(&self, order: &Order) -> String {
        format!("{}/orders/{}", self.shop.url, order.id.0)
    }
}

/// Until when a link is good, to the minute.
fn until(link: &Link) -> String {
    let at = link.until.get();
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// Makes a template of each file; askama looks for them when this is compiled.
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

/// Writes into memory, where nothing can fail.
fn write(template: impl Template) -> String {
    template.render().expect("a template that compiles is written")
}

/// One line that can stand in a header: nothing in it ends the line, or turns the direction of what follows.
fn line(text: &str) -> String {
    let turns = |letter: char| matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().filter(|letter| !turns(*letter)).take(LONGEST_TITLE).collect()
}

/// Without empty lines at its ends, or more than one between two paragraphs.
fn paragraphs(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.trim().lines().map(str::trim_end) {
        if !(line.is_empty() && kept.last().is_some_and(|before| before.is_empty())) {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

impl MessageRenderer for Templates {
    fn write(&self, content: &NotificationContent, channel: Channel, locale: Locale) -> RenderedMessage {
        let view = View { shop: &self.0, content };
        let (title, text, html) = match (locale, channel) {
            (Locale::English, Channel::Mail) => {
                (write(EnglishTitle { view }), write(EnglishText { view }), write(EnglishHtml { view }))
            }
            (Locale::English, Channel::Sms) => {
                (write(EnglishTitle { view }), write(EnglishSms { view }), String::new())
            }
            (Locale::Urdu, Channel::Mail) => {
                (write(UrduTitle { view }), write(UrduText { view }), write(UrduHtml { view }))
            }
            (Locale::Urdu, Channel::Sms) => (write(UrduTitle { view }), write(UrduSms { view }), String::new()),
        };
        let text = if channel == Channel::Sms { line_of_sms(&text) } else { paragraphs(&text) };
        RenderedMessage { title: line(&title), text, html: html.trim().to_owned() }
    }
}

/// A message to a phone is one line, as long as it is.
fn line_of_sms(text: &str) -> String {
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

    /// Everything that there can be to tell, with these words in it, or with none.
    fn matters(words: &str, known: bool) -> Vec<NotificationContent> {
        let until = Timestamp::from_unix_micros(1_800_000_000_000_000).expect("in range");
        let link = || Link { name: words.to_owned(), token: TOKEN.to_owned(), until };
        let some = |amount: &str| known.then(|| pkr(amount));
        let line = || Line { name: words.to_owned(), quantity: 2, sum: some("3000.00") };
        let lines = || if known { vec![line()] } else { Vec::new() };
        let id = OrderId("0190a1b2-0000-7000-8000-00000000abcd".parse().expect("an id"));
        let order = || Order { id, name: words.to_owned(), lines: lines(), total: some("3000.00") };
        let why = known.then_some(CancelReason::NotPaid);
        vec![
            NotificationContent::Registration(link()),
            NotificationContent::Reset(link()),
            NotificationContent::Placed(order()),
            NotificationContent::Paid(order()),
            NotificationContent::Failed { order: order(), reason: words.to_owned() },
            NotificationContent::Shipped { order: order(), carrier: words.to_owned(), tracking: words.to_owned() },
            NotificationContent::Delivered(order()),
            NotificationContent::Cancelled { order: order(), why },
            NotificationContent::Refunded { order: order(), amount: some("1000.00") },
        ]
    }

    /// Every letter that there can be.
    fn letters(words: &str, known: bool) -> Vec<(Kind, Channel, Locale, RenderedMessage)> {
        let mut all = Vec::new();
        for content in matters(words, known) {
            for channel in Channel::ALL {
                for locale in [Locale::English, Locale::Urdu] {
                    all.push((content.kind(), channel, locale, templates().write(&content, channel, locale)));
                }
            }
        }
        all
    }

    #[test]
    fn every_letter_is_there_in_both_languages_and_whole_when_data_is_missing() {
        for known in [true, false] {
            for (kind, channel, locale, letter) in letters(if known { "Ayesha" } else { "" }, known) {
                let told =
                    format!("{kind:?} by {channel:?} in {locale:?}, known: {known}: {letter:?}\n{}", letter.text);
                let letters = |text: &str| text.chars().filter(|letter| letter.is_alphabetic()).count();
                let urdu = |text: &str| text.chars().filter(|letter| ('\u{600}'..='\u{6ff}').contains(letter)).count();
                assert!(letters(&letter.title) > 5 && letters(&letter.text) > 20, "{told}");
                match locale {
                    Locale::Urdu => assert!(urdu(&letter.title) > 5 && urdu(&letter.text) > 15, "{told}"),
                    Locale::English => assert!(urdu(&letter.title) == 0 && urdu(&letter.text) == 0, "{told}"),
                }
                // Nothing stands where something is missing.
                for scar in ["None", "Some", "  ", "()", ": .", ": ,", " .", " ,", "،،"] {
                    let whole = letter.text.lines().all(|line| !line.trim_start().contains(scar));
                    assert!(whole, "{scar:?}: {told}");
                }
                let html = letter.html.starts_with("<!doctype html>") && letter.html.ends_with("</html>");
                assert_eq!(html, channel == Channel::Mail, "{told}");
                let right_to_left = letter.html.contains("<html lang=\"ur\" dir=\"rtl\">");
                assert_eq!(right_to_left, channel == Channel::Mail && locale == Locale::Urdu, "{told}");
                if channel == Channel::Mail && matches!(kind, Kind::Registration | Kind::Reset) {
                    let page = if kind == Kind::Reset { "reset-password" } else { "verify-email" };
                    let link = format!("https://shop.example/{page}#token={TOKEN}");
                    assert!(letter.text.contains(&link) && letter.html.contains(&format!("href=\"{link}\"")), "{told}");
                } else if channel == Channel::Mail {
                    assert!(letter.text.contains("0190a1b2-0000-7000-8000-00000000abcd"), "{told}");
                }
            }
        }
    }

    #[test]
    fn what_is_known_is_told() {
        let of = |kind: Kind, locale: Locale| {
            let all = letters("Ayesha", true);
            let found = all
                .into_iter()
                .find(|(known, channel, language, _)| (*known, *channel, *language) == (kind, Channel::Mail, locale));
            found.expect("there is one").3
        };
        for locale in [Locale::English, Locale::Urdu] {
            for (kind, told) in [
                (Kind::Placed, "3000.00 PKR"),
                (Kind::Paid, "3000.00 PKR"),
                (Kind::Refunded, "1000.00 PKR"),
                (Kind::Registration, "2027-01-15 08:00 UTC"),
            ] {
                let letter = of(kind, locale);
                assert!(letter.text.contains(told) && letter.html.contains(told), "{kind:?}: {}", letter.text);
            }
        }
    }

    #[test]
    fn nothing_that_a_customer_writes_becomes_markup_or_a_header() {
        let evil = "<script>alert('x')</script>\"&\r\nBcc: all@mart.example\u{202e}";
        for (kind, channel, locale, letter) in letters(evil, true) {
            let told = format!("{kind:?} by {channel:?} in {locale:?}: {}", letter.html);
            assert!(!letter.html.contains("<script") && !letter.html.contains("alert('"), "{told}");
            assert!(!letter.title.contains(['\r', '\n', '\u{202e}']), "{told}");
        }
        assert_eq!(line(evil), "<script>alert('x')</script>\"& Bcc: all@mart.example");
        assert_eq!(line(&"x".repeat(1000)).len(), LONGEST_TITLE);
    }
}
