//! The core's facts as the contract's messages. This service reacts to no events of others.

use mart_chassis::convert::money;
use mart_proto::product::v1;
use product_core::domain::fact;

use super::messages::product;
use crate::generated::events::{Messages, EventHandlers};

/// Makes the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct ProductMessages;

impl Messages for ProductMessages {
    fn product_created(fact: &fact::ProductCreated) -> v1::ProductCreated {
        v1::ProductCreated { product: Some(product(&fact.product)) }
    }

    fn product_updated(fact: &fact::ProductUpdated) -> v1::ProductUpdated {
        v1::ProductUpdated { product: Some(product(&fact.product)) }
    }

    fn product_price_changed(fact: &fact::ProductPriceChanged) -> v1::ProductPriceChanged {
        v1::ProductPriceChanged {
            product: Some(product(&fact.product)),
            previous_prices: fact.previous_prices.iter().copied().map(money).collect(),
        }
    }

    fn product_activated(fact: &fact::ProductActivated) -> v1::ProductActivated {
        v1::ProductActivated { product: Some(product(&fact.product)) }
    }

    fn product_archived(fact: &fact::ProductArchived) -> v1::ProductArchived {
        v1::ProductArchived { product: Some(product(&fact.product)) }
    }

    fn product_republished(fact: &fact::ProductRepublished) -> v1::ProductRepublished {
        v1::ProductRepublished { product: Some(product(&fact.product)) }
    }
}

/// Reacts to nothing.
#[derive(Debug, Clone, Copy)]
pub struct ProductEventHandlers;

impl EventHandlers for ProductEventHandlers {}
