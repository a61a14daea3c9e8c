Feature: The customer journey
  A customer registers, orders, and pays or does not. In any order of the provider's webhook events, payment, stock and order
  agree in the end.

  Background:
    Given a shop with 10 mugs for 1500.00 PKR each
    And a customer who has registered, verified the email address and logged in

  Rule: A paid order is confirmed once

    Scenario Outline: An order is paid in time
      Given the customer has ordered 2 mugs
      When the customer <how>
      Then the order is confirmed
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      And there are 8 mugs, 0 of them reserved
      And the payment has 0 open tasks
      And the customer has received the mails <mails>

      Examples:
        | how                                 | mails                |
        | pays                                | placed, paid         |
        | pays, which is reported three times | placed, paid         |
        | pays with the second card           | placed, failed, paid |
        | leaves and comes back to pay        | placed, paid         |

    Scenario: An order is paid and delivered
      Given the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the order is shipped and delivered
      Then the order is delivered
      And 1500.00 PKR was captured and 0.00 PKR was refunded
      And there are 9 mugs, 0 of them reserved
      And the customer has received the mails placed, paid, shipped, delivered

    Scenario: A paid order can't be paid again
      Given the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the customer starts a payment
      Then the response is 409 PAYMENT_NOT_PAYABLE
      And 1500.00 PKR was captured and 0.00 PKR was refunded

    Scenario: The timeline has texts for the customer
      Given the customer has ordered 1 mug
      When the customer pays with the second card
      Then the order is confirmed
      And the timeline is
        | We've received your order and are checking stock.         |
        | Your items are reserved. Please complete your payment.    |
        | Your payment failed (card declined). You can try again.   |
        | Your order is confirmed. We're preparing it for shipment. |

  Rule: An unpaid order is cancelled

    Scenario Outline: An order is not paid in time
      Given the customer has ordered 2 mugs
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
        | how                    | tasks | mails                     |
        | does nothing           | 0     | placed, cancelled         |
        | leaves                 | 0     | placed, cancelled         |
        | has no card that works | 0     | placed, failed, cancelled |
        | pays too little        | 1     | placed, cancelled         |
        | pays in dollars        | 1     | placed, cancelled         |

    Scenario: An order without enough stock can't be paid
      When the customer orders 11 mugs
      Then the order is cancelled because of no stock
      And there are 10 mugs, 0 of them reserved
      And the customer has received the mails placed, cancelled
      When the customer starts a payment
      Then the response is 409 PAYMENT_NOT_PAYABLE

  Rule: A late payment reinstates the order, or is refunded

    Scenario: A late payment reinstates the order
      Given the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is confirmed
      And 3000.00 PKR was captured and 0.00 PKR was refunded
      And there are 8 mugs, 0 of them reserved
      And the customer has received the mails placed, cancelled, paid

    Scenario Outline: A payment in flight is refunded after the cancellation
      Given the customer has ordered 2 mugs
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

  Rule: A paid order may be cancelled until it is shipped, and is refunded

    Scenario Outline: A paid order is cancelled
      Given the customer has ordered 2 mugs
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

    Scenario: A partial refund leaves the order confirmed
      Given the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      Then 3000.00 PKR was captured and 500.00 PKR was refunded
      And the order is confirmed

    Scenario: The rest is refunded when the order is cancelled
      Given the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      And the customer cancels the order
      Then the order is cancelled because of customer
      And 3000.00 PKR was captured and 3000.00 PKR was refunded
      And the customer has received the mails placed, paid, refunded, cancelled, refunded

    Scenario: A delivered order can't be cancelled
      Given the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the order is shipped and delivered
      And the customer cancels the order
      Then the response is 409 INVALID_ORDER_STATUS

  Rule: An order continues without its customer

    Scenario: The order of a disabled customer is delivered
      Given the customer has ordered 1 mug
      And the customer pays
      When the admin disables the customer
      Then the response is 401 INVALID_CREDENTIALS
      And the order is confirmed
      When the order is shipped and delivered
      Then the order is delivered
      And the customer has received the mails placed, paid, shipped, delivered
