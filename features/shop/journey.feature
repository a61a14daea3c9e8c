Feature: From the registration to the door, and the money back
  A customer registers, orders and pays, or does not. Whatever the provider says, whenever it says it, money, stock and order
  agree in the end.

  Background:
    Given a shop with 10 mugs for 1500.00 PKR each
    And a customer who has registered, proved the mailbox and logged in

  Rule: What is paid is sold, once

    Scenario Outline: Paid in time
      Given the customer has ordered 2 mugs
      When the customer <how>
      Then the order is confirmed
      And 3000.00 PKR came in and 0.00 PKR went back
      And there are 8 mugs and 0 of them promised
      And a person has 0 things to decide
      And the customer was mailed that the order was <mails>

      Examples:
        | how                                | mails                |
        | pays                               | placed, paid         |
        | pays, which is reported three times | placed, paid         |
        | pays with the second card          | placed, failed, paid |
        | leaves and comes back to pay       | placed, paid         |

    Scenario: To the door
      Given the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the order is shipped and delivered
      Then the order is delivered
      And 1500.00 PKR came in and 0.00 PKR went back
      And there are 9 mugs and 0 of them promised
      And the customer was mailed that the order was placed, paid, shipped, delivered

    Scenario: Paid once, and no second time
      Given the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the customer starts to pay
      Then the answer is 409 PAYMENT_NOT_PAYABLE
      And 1500.00 PKR came in and 0.00 PKR went back

    Scenario: What the customer reads
      Given the customer has ordered 1 mug
      When the customer pays with the second card
      Then the order is confirmed
      And the customer reads
        | We have your order and look for its products.           |
        | Your products are put aside. Please pay.                |
        | Your payment failed (card declined). You may try again. |
        | Your order is paid and will be sent.                    |

  Rule: What is not paid is not sold

    Scenario Outline: Not paid in time
      Given the customer has ordered 2 mugs
      When the customer <how>
      And 46 minutes pass
      Then the order is cancelled because of payment timeout
      And 0.00 PKR came in and 0.00 PKR went back
      And there are 10 mugs and 0 of them promised
      And a person has <tasks> things to decide
      And the customer was mailed that the order was <mails>
      When the customer starts to pay
      Then the answer is 409 PAYMENT_NOT_PAYABLE

      Examples:
        | how                    | tasks | mails                     |
        | does nothing           | 0     | placed, cancelled         |
        | leaves                 | 0     | placed, cancelled         |
        | has no card that works | 0     | placed, failed, cancelled |
        | pays too little        | 1     | placed, cancelled         |
        | pays in dollars        | 1     | placed, cancelled         |

    Scenario: What is not there is not paid
      When the customer orders 11 mugs
      Then the order is cancelled because of no stock
      And there are 10 mugs and 0 of them promised
      And the customer was mailed that the order was placed, cancelled
      When the customer starts to pay
      Then the answer is 409 PAYMENT_NOT_PAYABLE

  Rule: Money that comes late buys what is still there, or goes back

    Scenario: What is still there is sold
      Given the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is confirmed
      And 3000.00 PKR came in and 0.00 PKR went back
      And there are 8 mugs and 0 of them promised
      And the customer was mailed that the order was placed, cancelled, paid

    Scenario Outline: Who cancels gets the money back that was on its way
      Given the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the <who> cancels the order
      Then the order is cancelled because of <who>
      And 3000.00 PKR came in and 3000.00 PKR went back
      And there are 10 mugs and 0 of them promised
      And the customer was mailed that the order was placed, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

  Rule: A paid order may be cancelled until it is shipped, and its money goes back

    Scenario Outline: Cancelled when it was paid
      Given the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the <who> cancels the order
      Then the order is cancelled because of <who>
      And 3000.00 PKR came in and 3000.00 PKR went back
      And there are 10 mugs and 0 of them promised
      And the customer was mailed that the order was placed, paid, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

    Scenario: A part goes back, and the order goes on
      Given the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      Then 3000.00 PKR came in and 500.00 PKR went back
      And the order is confirmed

    Scenario: A part went back already, and the rest does when it is cancelled
      Given the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      And the customer cancels the order
      Then the order is cancelled because of customer
      And 3000.00 PKR came in and 3000.00 PKR went back
      And the customer was mailed that the order was placed, paid, refunded, cancelled, refunded

    Scenario: Too late to cancel
      Given the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the order is shipped and delivered
      And the customer cancels the order
      Then the answer is 409 INVALID_ORDER_STATUS

  Rule: An order outlives what becomes of its customer

    Scenario: A disabled customer's order is paid and goes on
      Given the customer has ordered 1 mug
      And the customer pays
      When the admin disables the customer
      Then the answer is 401 INVALID_CREDENTIALS
      And the order is confirmed
      When the order is shipped and delivered
      Then the order is delivered
      And the customer was mailed that the order was placed, paid, shipped, delivered
