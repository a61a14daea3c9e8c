Feature: Reading orders
  A customer sees his own orders, and another's as if there were none; an admin sees all. A list is newest first, page by
  page, by status and by a period that begins with its first moment and ends before its last.

  Background:
    Given the mug for 1500.00 PKR
    And Ayesha has placed the order A of 1 mug
    And Ayesha has placed the order B of 2 mugs
    And Bilal has placed the order C of 3 mugs

  Scenario Outline: Another customer's order is as one that there is not
    When Bilal <does> A
    Then the answer is 404 ORDER_NOT_FOUND
    And A is placed

    Examples:
      | does    |
      | reads   |
      | tracks  |
      | cancels |

  Scenario: Another customer does not change it
    When Bilal changes the city of A to Karachi
    Then the answer is 404 ORDER_NOT_FOUND
    And A has published OrderPlaced

  Scenario Outline: A customer lists his own
    When Ayesha lists orders with <parameters>
    Then they find <orders>

    Examples:
      | parameters                         | orders  |
      |                                    | B, A    |
      | pageSize=1                         | B, A    |
      | status=ORDER_STATUS_PLACED         | B, A    |
      | status=ORDER_STATUS_CANCELLED      | nothing |
      | placedFrom=<A>&placedBefore=<B>    | A       |
      | placedFrom=<B>                     | B       |
      | placedBefore=<A>                   | nothing |

  Scenario: By status, as it is now
    When Ayesha cancels A
    And Ayesha lists orders with status=ORDER_STATUS_CANCELLED
    Then they find A
    When Ayesha lists orders with status=ORDER_STATUS_PLACED
    Then they find B

  @alone
  Scenario: An admin lists all
    When the admin lists orders with pageSize=2
    Then they find C, B, A

  Scenario Outline: What can't be asked is refused with its place
    When Ayesha lists orders with <parameters>
    Then it is refused for its <place>

    Examples:
      | parameters            | place      |
      | status=ORDER_STATUS_X | status     |
      | placedFrom=yesterday  | placedFrom |
      | pageSize=-1           | pageSize   |

  Scenario: The timeline tells it in the customer's words
    Given the stock of A was put aside
    And A was paid
    And the admin has shipped A
    And the admin has delivered A
    When Ayesha tracks A
    Then they read
      | We have your order and look for its products. |
      | Your products are put aside. Please pay.      |
      | Your order is paid and will be sent.          |
      | Your order is on its way with TCS, number 77. |
      | Your order has arrived.                       |

  @alone
  Scenario: The state of all orders is told again
    When Ayesha cancels A
    And the admin republishes orders
    Then A has published OrderPlaced, OrderCancelled, OrderRepublished
    And C has published OrderPlaced, OrderRepublished
