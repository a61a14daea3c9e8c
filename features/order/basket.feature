Feature: Quotes and placing orders
  The basket is stored in the client. A quote returns its prices. To place an order, the client sends the total that the
  customer confirmed. The order keeps its names and prices. There is no tax, fee or discount: the total is the sum of the lines.

  Background:
    Given the mug for 1500.00 PKR, 5.99 USD
    And the teapot for 4200.00 PKR

  Rule: A quote needs no login

    Scenario: A quote has lines, sums and the total
      When a visitor requests a quote for 2 mugs, 1 teapot in PKR
      Then the response is 200
      And the lines are
        | product | quantity | price       | sum         |
        | mug     | 2        | 1500.00 PKR | 3000.00 PKR |
        | teapot  | 1        | 4200.00 PKR | 4200.00 PKR |
      And the total is 7200.00 PKR

    Scenario: Lines of the same product are merged
      When a visitor requests a quote for 2 mugs, 1 teapot, 3 mugs in PKR
      Then the lines are
        | product | quantity | price       | sum         |
        | mug     | 5        | 1500.00 PKR | 7500.00 PKR |
        | teapot  | 1        | 4200.00 PKR | 4200.00 PKR |

    Scenario: Lines that can't be ordered are rejected one by one, and the others are priced
      Given the draft kettle
      And the archived jug
      When a visitor requests a quote for 2 mugs, 1 teapot, 1 kettle, 1 jug, 1 unicorn in USD
      Then the response is 200
      And the rejected lines are
        | teapot  | not priced  |
        | kettle  | not on sale |
        | jug     | not on sale |
        | unicorn | not on sale |
      And the total is 11.98 USD

    Scenario: More than 10,000 units of one product are too many, even on several lines
      When a visitor requests a quote for 1 teapot, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1 mug in PKR
      Then the rejected lines are
        | mug | too many |
      And the total is 4200.00 PKR

    Scenario Outline: An invalid basket is rejected with the path of the fault
      When a visitor requests a quote for <lines> in <currency>
      Then the request is invalid at <path>

      Examples:
        | lines     | currency | path              |
        | 0 mugs    | PKR      | lines[0].quantity |
        | -1 mugs   | PKR      | lines[0].quantity |
        | 1001 mugs | PKR      | lines[0].quantity |
        | 1 mug     | pkr      | currencyCode      |
        | 1 mug     | XXX      | currencyCode      |

    Scenario: A total that is too large is rejected
      Given the palace for 9999999999999.99 PKR
      When a visitor requests a quote for 1 palace, 1 mug in PKR
      Then the response is 409 AMOUNT_TOO_LARGE
      When a visitor requests a quote for 1000 palaces in PKR
      Then the response is 409 AMOUNT_TOO_LARGE

  Rule: The customer is charged the total that they confirmed, and the order keeps it

    Scenario: An order keeps its names and prices
      Given Ayesha has placed the order A of 2 mugs
      When the price of the mug changes to 1600.00 PKR
      And Ayesha reads A
      Then the total is 3000.00 PKR
      And the lines are
        | product | quantity | price       | sum         |
        | mug     | 2        | 1500.00 PKR | 3000.00 PKR |

    Scenario Outline: A wrong total is rejected with the current one
      When Ayesha tries to order 2 mugs for <total>
      Then the response is 409 TOTAL_CHANGED
      And the new total is 3000.00 PKR

      Examples:
        | total       |
        | 2999.99 PKR |
        | 3000.01 PKR |
        | 0.00 PKR    |

    Scenario: One rejected line rejects the whole order
      Given the archived jug
      When Ayesha tries to order 2 mugs, 1 jug for 3000.00 PKR
      Then the response is 409 LINES_REJECTED
      And the rejected lines are
        | jug | not on sale |

    Scenario: Every line needs a price in the currency of the order
      When Ayesha tries to order 1 mug, 1 teapot for 5.99 USD
      Then the response is 409 LINES_REJECTED
      And the rejected lines are
        | teapot | not priced |

    Scenario Outline: An invalid field is rejected with its path
      Given the <field> of the next order is <value>
      When Ayesha tries to order 1 mug for 1500.00 PKR
      Then the request is invalid at <path>

      Examples:
        | field   | value        | path                        |
        | country | Pakistan     | shippingAddress.countryCode |
        | mail    | not-an-email | contact.email               |
        | phone   | 0300 1234567 | contact.phone               |
        | method  | Card!        | paymentMethod               |

    Scenario: A repeated request places one order
      When Ayesha places the order A of 2 mugs with the key k1
      And Ayesha places the order B of 2 mugs with the key k1
      Then A and B are the same order
      And A has published OrderPlaced

    Scenario: A repeated request returns the order even if the price has changed
      When Ayesha places the order A of 2 mugs with the key k1
      And the price of the mug changes to 1600.00 PKR
      And Ayesha tries to order 2 mugs for 3000.00 PKR
      Then the response is 409 TOTAL_CHANGED
      When Ayesha repeats the order A as B with the key k1
      Then the response is 201
      And the total is 3000.00 PKR
      And A and B are the same order

    Scenario: A key can't be reused for another order
      When Ayesha places the order A of 2 mugs with the key k1
      And Ayesha places the order B of 3 mugs with the key k1
      Then the response is 422 IDEMPOTENCY_KEY_REUSED

    Scenario: Customers have separate keys
      When Ayesha places the order A of 2 mugs with the key k1
      And Bilal places the order B of 2 mugs with the key k1
      Then A and B are different orders

  Rule: The read model of products never becomes older

    Scenario: An older event has no effect
      When the price of the mug changes to 1600.00 PKR
      And an older event of the mug with the price 900.00 PKR is published
      And a visitor requests a quote for 1 mug in PKR
      Then the total is 1600.00 PKR

    Scenario: A duplicate event after a newer one has no effect
      When the price of the mug changes to 1600.00 PKR
      And the price of the mug changes to 1700.00 PKR
      And the previous event is published again
      And a visitor requests a quote for 1 mug in PKR
      Then the total is 1700.00 PKR
