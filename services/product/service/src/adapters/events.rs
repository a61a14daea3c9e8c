//! Maps the core's events to the contract's messages. This service subscribes to no events.

use mart_chassis::convert::money;
use mart_proto::product::v1;
use product_core::domain::events;

use super::proto::product;
use crate::generated::events::{EventHandlers, Messages};

/// Builds the contract's messages.
#[derive(Debug, Clone, Copy)]
pub struct ProductMessages;

impl Messages for ProductMessages {
    fn product_created(event: &events::ProductCreated) -> v1::ProductCreated {
        v1::ProductCreated { product: Some(product(&event.product)) }
    }

    fn product_updated(event: &events::ProductUpdated) -> v1::ProductUpdated {
        v1::ProductUpdated { product: Some(product(&event.product)) }
    }

    fn product_price_changed(event: &events::ProductPriceChanged) -> v1::ProductPriceChanged {
        v1::ProductPriceChanged {
            product: Some(product(&event.product)),
            previous_prices: event.previous_prices.iter().copied().map(money).collect(),
        }
    }

    fn product_activated(event: &events::ProductActivated) -> v1::ProductActivated {
        v1::ProductActivated { product: Some(product(&event.product)) }
    }

    fn product_archived(event: &events::ProductArchived) -> v1::ProductArchived {
        v1::ProductArchived { product: Some(product(&event.product)) }
    }

    fn product_republished(event: &events::ProductRepublished) -> v1::ProductRepublished {
        v1::ProductRepublished { product: Some(product(&event.product)) }
    }
}

/// Handles no events.
#[derive(Debug, Clone, Copy)]
pub struct ProductEventHandlers;

impl EventHandlers for ProductEventHandlers {}
