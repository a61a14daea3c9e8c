//! The payment page: the amount due, and a button for each action.

use std::fmt::Write as _;

use crate::escaped;

/// Renders the page of a checkout from its order, amount and state, or an error page.
pub(super) fn page(summary: Option<(&str, &str, &str)>) -> String {
    let mut body = String::new();
    match summary {
        None => body.push_str("<h1>There is no such checkout</h1>"),
        Some((order, amount, state)) => {
            let _ = write!(
                body,
                "<h1>{}</h1><p>for order <code>{}</code></p><p class=\"state\" role=\"status\">This checkout is <b>{}</b>.</p>",
                escaped(amount),
                escaped(order),
                escaped(state)
            );
            if state == "open" {
                body.push_str("<form method=\"post\">");
                for (action, text) in
                    [("pay", "Pay"), ("decline", "Decline the card"), ("leave", "Leave without paying")]
                {
                    let _ = write!(body, "<button name=\"action\" value=\"{action}\">{text}</button>");
                }
                body.push_str(concat!(
                    "<details><summary>Simulate a fault</summary>",
                    "<label>Different amount <input name=\"amount\" placeholder=\"1.00\"></label>",
                    "<label>Different currency <input name=\"currencyCode\" placeholder=\"USD\" size=\"4\"></label>",
                    "<label>Number of webhooks <input name=\"calls\" type=\"number\" min=\"0\" max=\"9\" placeholder=\"1\"></label>",
                    "<label>Delay in milliseconds <input name=\"delayMs\" type=\"number\" min=\"0\" max=\"60000\" placeholder=\"0\"></label>",
                    "</details></form>"
                ));
            }
        }
    }
    format!(
        concat!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">",
            "<title>Sandbox</title><style>{}</style>",
            "<main><p class=\"banner\">Sandbox: no money is taken here</p>{}</main></html>"
        ),
        STYLE, body
    )
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f4f2;color:#1b1b1b}\
main{max-width:26rem;margin:10vh auto;padding:2rem;background:#fff;border:1px solid #ddd;border-radius:.5rem}\
.banner{margin:-2rem -2rem 1.5rem;padding:.5rem 2rem;background:#fff3c4;border-radius:.5rem .5rem 0 0;font-size:.9rem}\
h1{margin:0;font-size:2rem}button{display:block;width:100%;margin:.5rem 0;padding:.75rem;font:inherit;border:1px solid #999;\
border-radius:.4rem;background:#fff;cursor:pointer}button[value=pay]{background:#14532d;border-color:#14532d;color:#fff}\
details{margin-top:1rem}label{display:block;margin:.4rem 0}input{font:inherit;padding:.2rem .4rem}code{overflow-wrap:anywhere}";

#[cfg(test)]
mod tests {
    use super::page;

    #[test]
    fn values_are_escaped() {
        let page = page(Some(("<script>", "1 PKR", "open")));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"));
    }

    #[test]
    fn only_an_open_checkout_has_buttons() {
        assert!(page(Some(("o", "1 PKR", "open"))).contains("value=\"pay\""));
        assert!(!page(Some(("o", "1 PKR", "paid"))).contains("value=\"pay\""));
        assert!(page(None).contains("no such checkout"));
    }
}
