Feature: The payment providers
  Stripe can be polled, ends its sessions and makes refunds. PayFast can't be polled, ends no checkout and makes no refunds, so an
  admin makes them by hand. With both, payment, stock and order agree.

  Background:
    Given a shop with 10 mugs for 1500.00 PKR each
    And a customer who has registered, verified the email address and logged in

  Rule: A paid order is confirmed once

    Scenario Outline: An order is paid in time
      Given orders are paid with <provider>
      And the customer has ordered 2 mugs
      When the customer <how>
      Then the order is confirmed
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      And there are 8 mugs, 0 of them reserved
      And the payment has 0 open tasks
      And the customer has received the mails <mails>

      Examples:
        | provider | how                                 | mails                |
        | Stripe   | pays                                | placed, paid         |
        | Stripe   | pays, which is reported three times | placed, paid         |
        | Stripe   | pays with the second card           | placed, paid         |
        | Stripe   | leaves and comes back to pay        | placed, paid         |
        | PayFast  | pays                                | placed, paid         |
        | PayFast  | pays, which is reported three times | placed, paid         |
        | PayFast  | pays with the second card           | placed, failed, paid |
        | PayFast  | leaves and comes back to pay        | placed, paid         |

    Scenario Outline: A duplicate webhook event after the delivery has no effect
      Given orders are paid with <provider>
      And the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the order is shipped and delivered
      And the provider reports it again
      Then the order is delivered
      And 1500.00 PKR was captured and 0.00 PKR was refunded
      And there are 9 mugs, 0 of them reserved
      And the payment has 0 open tasks

      Examples:
        | provider |
        | Stripe   |
        | PayFast  |

    Scenario: Stripe is unavailable, and the customer tries again
      Given orders are paid with Stripe
      And the customer has ordered 1 mug
      And Stripe is unavailable for the order
      When the customer starts a payment
      Then the response is 503 PROVIDER_UNAVAILABLE
      When the customer pays
      Then the order is confirmed
      And 1500.00 PKR was captured and 0.00 PKR was refunded

  Rule: An unpaid order is cancelled

    Scenario Outline: An order is not paid in time
      Given orders are paid with <provider>
      And the customer has ordered 2 mugs
      When the customer <how>
      And 46 minutes pass
      Then the order is cancelled because of payment timeout
      And 0.00 PKR was captured and 0.00 PKR was refunded
      And there are 10 mugs, 0 of them reserved
      And the payment has <tasks> open tasks
      And the customer has received the mails <mails>
      When the customer starts a payment
      Then the response is 409 PAYMENT_NOT_PAYABLE

      Examples:
        | provider | how                    | tasks | mails                     |
        | Stripe   | does nothing           | 0     | placed, cancelled         |
        | Stripe   | leaves                 | 0     | placed, cancelled         |
        | Stripe   | has no card that works | 0     | placed, cancelled         |
        | Stripe   | pays too little        | 1     | placed, cancelled         |
        | Stripe   | pays in dollars        | 1     | placed, cancelled         |
        | PayFast  | does nothing           | 0     | placed, cancelled         |
        | PayFast  | leaves                 | 0     | placed, cancelled         |
        | PayFast  | has no card that works | 0     | placed, failed, cancelled |
        | PayFast  | pays too little        | 1     | placed, cancelled         |
        | PayFast  | pays in dollars        | 1     | placed, cancelled         |

  Rule: A late payment reinstates the order, or is refunded

    Scenario: Stripe is polled after the payment deadline
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is confirmed
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      And there are 8 mugs, 0 of them reserved
      And the customer has received the mails placed, cancelled, paid

    Scenario: PayFast reports late, and the stock is available
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is cancelled because of payment timeout
      When the provider reports it late
      Then the order is confirmed
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      And there are 8 mugs, 0 of them reserved
      And the customer has received the mails placed, cancelled, paid

    Scenario: PayFast reports late, and the stock is gone
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is cancelled because of payment timeout
      When 9 of the mugs break
      And the provider reports it late
      Then the order is cancelled because of no stock
      And the payment has 1 open task
      When an admin refunds by hand
      Then 3000.00 PKR was captured and 3000.00 PKR was refunded
      And there are 1 mugs, 0 of them reserved
      And the payment has 0 open tasks

    Scenario Outline: A Stripe payment in flight is refunded after the cancellation
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the <who> cancels the order
      Then the order is cancelled because of <who>
      And 3000.00 PKR was captured and 3000.00 PKR was refunded
      And there are 10 mugs, 0 of them reserved
      And the customer has received the mails placed, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

    Scenario Outline: A PayFast payment reported after the cancellation is refunded by hand
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the <who> cancels the order
      And the provider reports it late
      Then 3000.00 PKR was captured and 0.00 PKR was refunded
      When an admin refunds by hand
      Then the order is cancelled because of <who>
      And 3000.00 PKR was captured and 3000.00 PKR was refunded
      And there are 10 mugs, 0 of them reserved
      And the customer has received the mails placed, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

  Rule: A paid order may be cancelled until it is shipped, and is refunded

    Scenario Outline: An order paid with Stripe is cancelled
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the <who> cancels the order
      Then the order is cancelled because of <who>
      And 3000.00 PKR was captured and 3000.00 PKR was refunded
      And there are 10 mugs, 0 of them reserved
      And the customer has received the mails placed, paid, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

    Scenario Outline: An order paid with PayFast is cancelled
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the <who> cancels the order
      Then the order is cancelled because of <who>
      And the payment has 1 open task
      When an admin refunds by hand
      Then 3000.00 PKR was captured and 3000.00 PKR was refunded
      And there are 10 mugs, 0 of them reserved
      And the payment has 0 open tasks
      And the customer has received the mails placed, paid, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

    Scenario: Stripe refunds a part, and then the rest
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      Then 3000.00 PKR was captured and 500.00 PKR was refunded
      And the order is confirmed
      When the customer cancels the order
      Then the order is cancelled because of customer
      And 3000.00 PKR was captured and 3000.00 PKR was refunded
      And the customer has received the mails placed, paid, refunded, cancelled, refunded

    Scenario: A partial refund of PayFast is made by hand and leaves the order confirmed
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      And an admin refunds by hand
      Then 3000.00 PKR was captured and 500.00 PKR was refunded
      And the order is confirmed

    Scenario: The bank sends the refund later
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      And the bank sends refunds, but later
      Then the order is confirmed
      When the customer cancels the order
      Then 3000.00 PKR was captured and 0.00 PKR was refunded
      When the bank sends refunds
      And the provider reports it late
      Then 3000.00 PKR was captured and 3000.00 PKR was refunded
      And the payment has 0 open tasks

    Scenario: A part is refunded in Stripe's dashboard before the customer cancels
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When an operator refunds 500.00 PKR in Stripe's dashboard
      And Stripe reports it in another webhook event
      Then 3000.00 PKR was captured and 500.00 PKR was refunded
      And the order is confirmed
      When the customer cancels the order
      Then 3000.00 PKR was captured and 3000.00 PKR was refunded
      And the payment has 0 open tasks
      And the customer has received the mails placed, paid, refunded, cancelled, refunded

    Scenario: The customer's bank disputes the payment
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the customer's bank disputes the payment
      And Stripe reports it in another webhook event
      Then the payment has 1 open task
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      And the order is confirmed

    Scenario: A refund fails, and an admin tries again
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      And the bank does not send refunds
      Then the order is confirmed
      When the customer cancels the order
      Then the payment has 1 open task
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      When the bank sends refunds
      And the admin refunds 3000.00 PKR
      Then 3000.00 PKR was captured and 3000.00 PKR was refunded

  Rule: An order is paid once, with any provider

    Scenario Outline: A second payment at another provider is refunded
      Given orders are paid with <first>
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the customer switches to <second>
      And the customer pays
      Then the order is confirmed
      When the customer switches to <first>
      And the provider reports it late
      Then 6000.00 PKR was captured and 3000.00 PKR was refunded
      And the order is confirmed
      And there are 8 mugs, 0 of them reserved
      And the payment has 0 open tasks

      Examples:
        | first  | second      |
        | Stripe | PayFast     |
        | Stripe | the sandbox |

    Scenario: A second payment at PayFast is refunded by hand
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the customer switches to Stripe
      And the customer pays
      Then the order is confirmed
      When the customer switches to PayFast
      And the provider reports it late
      Then 6000.00 PKR was captured and 0.00 PKR was refunded
      When an admin refunds by hand
      Then 6000.00 PKR was captured and 3000.00 PKR was refunded
      And the order is confirmed
      And there are 8 mugs, 0 of them reserved
