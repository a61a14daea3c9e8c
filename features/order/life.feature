Feature: The life of an order
  Placed, awaiting payment, confirmed, shipped, delivered; or cancelled by the customer, by an admin, for lack of stock or
  because it was not paid in time. docs/order-life.md shows every step.

  Background:
    Given the mug for 1500.00 PKR
    And Ayesha has placed the order A of 2 mugs

  Rule: Stock and money move it on, each once

    Scenario: From placed to delivered
      When the stock of A is put aside
      Then A is awaiting payment
      When A is paid
      Then A is confirmed
      When the admin ships A with "TCS", number "77"
      Then A is shipped
      When the admin delivers A
      Then A is delivered
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed, OrderShipped, OrderDelivered

    Scenario: What lacks stock is cancelled
      When the stock of A is short
      Then A is cancelled because of no stock
      And A has published OrderPlaced, OrderCancelled

    Scenario: Inventory's own expiry cancels what still waits
      Given the stock of A was put aside
      When the stock of A is free again
      Then A is cancelled because of payment timeout

    Scenario: A failed attempt leaves it waiting
      Given the stock of A was put aside
      When a payment of A fails
      And the same event is published again
      Then A is awaiting payment
      When A is paid
      Then A is confirmed
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed

    Scenario: Another sum than the total pays nothing, and an operator hears of it
      Given the stock of A was put aside
      When A is paid with 2999.99 PKR
      Then A is awaiting payment
      And 1 record is dead
      When an operator throws it away
      Then 0 records are dead

    Scenario: A second capture changes nothing, because payment gives a surplus back itself
      Given the stock of A was put aside
      And A was paid
      When A is paid
      And the same event is published again
      Then A is confirmed
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed

  Rule: What is not paid within 45 minutes is cancelled

    @moment
    Scenario: Just before it
      Given the stock of A was put aside
      When 44 minutes pass
      Then A is awaiting payment

    Scenario: After it, once
      Given the stock of A was put aside
      When 46 minutes pass
      And 46 minutes pass
      Then A is cancelled because of payment timeout
      And A has published OrderPlaced, OrderAwaitingPayment, OrderCancelled

    Scenario: Late money asks for the stock once more
      Given the stock of A was put aside
      When 46 minutes pass
      And A is paid
      And the stock of A is put aside
      Then A is confirmed
      And A has published OrderPlaced, OrderAwaitingPayment, OrderCancelled, OrderReinstated, OrderConfirmed

    Scenario: Late money goes back where the stock is gone
      Given the stock of A was put aside
      When 46 minutes pass
      And A is paid
      And the stock of A is short
      Then A is cancelled because of no stock
      And A has published OrderPlaced, OrderAwaitingPayment, OrderCancelled, OrderReinstated, OrderCancelled, RefundRequested

  Rule: Customer and admin may cancel until it is shipped

    Scenario Outline: Who cancels, and when
      When <who> cancels A
      Then the answer is 200
      And A is cancelled because of <why>
      When <who> cancels A
      Then the answer is 200
      And A has published OrderPlaced, OrderCancelled

      Examples:
        | who       | why      |
        | Ayesha    | customer |
        | the admin | admin    |

    Scenario: A paid order is cancelled and its money asked back
      Given the stock of A was put aside
      And A was paid
      When Ayesha cancels A
      Then A is cancelled because of customer
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed, OrderCancelled, RefundRequested

    Scenario: A shipped order can't be cancelled any more
      Given the stock of A was put aside
      And A was paid
      And the admin has shipped A
      When Ayesha cancels A
      Then the answer is 409 INVALID_ORDER_STATUS
      And A is shipped

  Rule: Address and contact may be changed until it is shipped

    Scenario: Changed, and told
      When Ayesha changes the city of A to Karachi
      Then the answer is 200
      And the order goes to Karachi
      When Ayesha changes the mail of A to b@example.com
      Then the answer is 200
      And A has published OrderPlaced, OrderChanged, OrderChanged

    Scenario: What is no address is refused
      When Ayesha changes the mail of A to nobody
      Then it is refused for its contact.email
      And A has published OrderPlaced

    Scenario: Too late
      Given the stock of A was put aside
      And A was paid
      And the admin has shipped A
      When Ayesha changes the city of A to Karachi
      Then the answer is 409 INVALID_ORDER_STATUS

  Rule: Only an admin ships and delivers, with carrier and number

    Scenario Outline: Without them it is refused
      Given the stock of A was put aside
      And A was paid
      When the admin ships A with "<carrier>", number "<number>"
      Then it is refused for its <place>
      And A is confirmed

      Examples:
        | carrier | number | place          |
        |         | 77     | carrier        |
        | TCS     |        | trackingNumber |

    Scenario: A customer does not deliver
      Given the stock of A was put aside
      And A was paid
      And the admin has shipped A
      When Ayesha delivers A
      Then the answer is 403 FORBIDDEN
      And A is shipped
