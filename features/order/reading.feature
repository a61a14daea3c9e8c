Feature: Reading orders
  A customer reads only their own orders, and does not learn whether others exist. An admin reads all. Lists are newest first,
  paged, and filtered by status and by a period whose start is inclusive and whose end is exclusive.

  Background:
    Given the mug for 1500.00 PKR
    And Ayesha has placed the order A of 1 mug
    And Ayesha has placed the order B of 2 mugs
    And Bilal has placed the order C of 3 mugs

  Scenario Outline: Another customer's order looks like a missing one
    When Bilal <action> A
    Then the response is 404 ORDER_NOT_FOUND
    And A is placed

    Examples:
      | action  |
      | reads   |
      | tracks  |
      | cancels |

  Scenario: Another customer can't change an order
    When Bilal changes the city of A to Karachi
    Then the response is 404 ORDER_NOT_FOUND
    And A has published OrderPlaced

  Scenario Outline: Customers list their own orders
    When Ayesha lists orders with <parameters>
    Then the listed orders are <orders>

    Examples:
      | parameters                      | orders |
      |                                 | B, A   |
      | pageSize=1                      | B, A   |
      | status=ORDER_STATUS_PLACED      | B, A   |
      | status=ORDER_STATUS_CANCELLED   | none   |
      | placedFrom=<A>&placedBefore=<B> | A      |
      | placedFrom=<B>                  | B      |
      | placedBefore=<A>                | none   |

  Scenario: The status filter uses the current status
    When Ayesha cancels A
    And Ayesha lists orders with status=ORDER_STATUS_CANCELLED
    Then the listed orders are A
    When Ayesha lists orders with status=ORDER_STATUS_PLACED
    Then the listed orders are B

  @alone
  Scenario: An admin lists all orders
    When the admin lists orders with pageSize=2
    Then the listed orders are C, B, A

  Scenario Outline: An invalid parameter is rejected with its path
    When Ayesha lists orders with <parameters>
    Then the request is invalid at <path>

    Examples:
      | parameters            | path       |
      | status=ORDER_STATUS_X | status     |
      | placedFrom=yesterday  | placedFrom |
      | pageSize=-1           | pageSize   |

  Scenario: The timeline has texts for the customer
    Given the stock of A was reserved
    And A was paid
    And the admin has shipped A
    And the admin has delivered A
    When Ayesha tracks A
    Then the timeline is
      | We've received your order and are checking stock.         |
      | Your items are reserved. Please complete your payment.    |
      | Your order is confirmed. We're preparing it for shipment. |
      | Your order has shipped with TCS. Tracking number: 77.     |
      | Your order was delivered.                                 |

  @alone
  Scenario: The state of all orders is republished
    When Ayesha cancels A
    And the admin republishes orders
    Then A has published OrderPlaced, OrderCancelled, OrderRepublished
    And C has published OrderPlaced, OrderRepublished
