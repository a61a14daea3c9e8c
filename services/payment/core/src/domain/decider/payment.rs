//! Opens and closes the payment of an order.

use mart_kernel::{Money, Timestamp, Version};

use super::PaymentDecider;
use crate::domain::{Account, CustomerId, OrderId, Payer};

impl PaymentDecider {
    /// Opens the payment of an order. An existing one, such as that of an order that was cancelled first, stays unchanged.
    pub fn open_payment(
        &mut self,
        order: OrderId,
        customer: CustomerId,
        payer: Payer,
        amount: Money,
        deadline: Timestamp,
    ) {
        if self.account.is_none() {
            self.account = Some(Account { payer, ..self.new_account(order, customer, amount, deadline) });
        }
    }

    /// Closes the payment of a cancelled order and makes its open attempts due. OrderCancelled may arrive before
    /// OrderAwaitingPayment.
    pub fn close_payment(&mut self, order: OrderId, customer: CustomerId, amount: Money) {
        let now = self.now;
        if self.account.is_none() {
            self.account = Some(self.new_account(order, customer, amount, now));
        }
        if let Some(account) = &mut self.account {
            account.closed = true;
            for attempt in account.attempts.iter_mut().filter(|attempt| attempt.is_open()) {
                attempt.next_poll_at = now;
            }
        }
    }

    fn new_account(&self, order: OrderId, customer: CustomerId, amount: Money, deadline: Timestamp) -> Account {
        Account {
            order,
            version: Version::NONE,
            customer,
            payer: Payer::default(),
            amount,
            deadline,
            closed: false,
            attempts: Vec::new(),
            transactions: Vec::new(),
            refunds: Vec::new(),
            tasks: Vec::new(),
            created_at: self.now,
            updated_at: self.now,
        }
    }
}
