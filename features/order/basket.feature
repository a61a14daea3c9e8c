Feature: From the basket to an order
  The basket lives in the client. A quote says what it would cost; placing names the total that the customer saw, and an
  order keeps names and prices as they were. There is no tax, fee or discount: the total is the sum of the lines.

  Background:
    Given the mug for 1500.00 PKR, 5.99 USD
    And the teapot for 4200.00 PKR

  Rule: Anybody learns what a basket costs

    Scenario: Lines, sums and the total
      When a visitor asks what 2 mugs, 1 teapot cost in PKR
      Then the answer is 200
      And the lines are
        | product | quantity | price       | sum         |
        | mug     | 2        | 1500.00 PKR | 3000.00 PKR |
        | teapot  | 1        | 4200.00 PKR | 4200.00 PKR |
      And the total is 7200.00 PKR

    Scenario: The same product on two lines is one line
      When a visitor asks what 2 mugs, 1 teapot, 3 mugs cost in PKR
      Then the lines are
        | product | quantity | price       | sum         |
        | mug     | 5        | 1500.00 PKR | 7500.00 PKR |
        | teapot  | 1        | 4200.00 PKR | 4200.00 PKR |

    Scenario: What can't be ordered is named line by line, and the rest is priced
      Given the draft kettle
      And the archived jug
      When a visitor asks what 2 mugs, 1 teapot, 1 kettle, 1 jug, 1 unicorn cost in USD
      Then the answer is 200
      And what can't be ordered is
        | teapot  | not priced  |
        | kettle  | not on sale |
        | jug     | not on sale |
        | unicorn | not on sale |
      And the total is 11.98 USD

    Scenario: More than 10,000 units of one product are too many, on however many lines
      When a visitor asks what 1 teapot, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1000 mugs, 1 mug cost in PKR
      Then what can't be ordered is
        | mug | too many |
      And the total is 4200.00 PKR

    Scenario Outline: What is no basket is refused with its place
      When a visitor asks what <lines> cost in <currency>
      Then it is refused for its <place>

      Examples:
        | lines     | currency | place             |
        | 0 mugs    | PKR      | lines[0].quantity |
        | -1 mugs   | PKR      | lines[0].quantity |
        | 1001 mugs | PKR      | lines[0].quantity |
        | 1 mug     | pkr      | currencyCode      |
        | 1 mug     | XXX      | currencyCode      |

    Scenario: A sum that can't be kept is refused, not wrapped
      Given the palace for 9999999999999.99 PKR
      When a visitor asks what 1 palace, 1 mug cost in PKR
      Then the answer is 409 AMOUNT_TOO_LARGE
      When a visitor asks what 1000 palaces cost in PKR
      Then the answer is 409 AMOUNT_TOO_LARGE

  Rule: The customer pays what he saw, and the order keeps it

    Scenario: An order keeps its names and prices
      Given Ayesha has placed the order A of 2 mugs
      When the mug costs 1600.00 PKR from now on
      And Ayesha reads A
      Then the total is 3000.00 PKR
      And the lines are
        | product | quantity | price       | sum         |
        | mug     | 2        | 1500.00 PKR | 3000.00 PKR |

    Scenario Outline: Another total than the mart's is refused with the right one
      When Ayesha tries to order 2 mugs for <total>
      Then the answer is 409 TOTAL_CHANGED
      And the new total is 3000.00 PKR

      Examples:
        | total       |
        | 2999.99 PKR |
        | 3000.01 PKR |
        | 0.00 PKR    |

    Scenario: Lines that can't be ordered refuse the whole order
      Given the archived jug
      When Ayesha tries to order 2 mugs, 1 jug for 3000.00 PKR
      Then the answer is 409 LINES_REJECTED
      And what can't be ordered is
        | jug | not on sale |

    Scenario: A currency must price every line
      When Ayesha tries to order 1 mug, 1 teapot for 5.99 USD
      Then the answer is 409 LINES_REJECTED
      And what can't be ordered is
        | teapot | not priced |

    Scenario Outline: What is missing or wrong is refused with its place
      Given the <member> of the next order is <value>
      When Ayesha tries to order 1 mug for 1500.00 PKR
      Then it is refused for its <place>

      Examples:
        | member  | value        | place                       |
        | country | Pakistan     | shippingAddress.countryCode |
        | mail    | nobody       | contact.email               |
        | phone   | 0300 1234567 | contact.phone               |
        | method  | Card!        | paymentMethod               |

    Scenario: A repeated order is one order
      When Ayesha places the order A of 2 mugs under the key k1
      And Ayesha places the order B of 2 mugs under the key k1
      Then A and B are one order
      And A has published OrderPlaced

    Scenario: A repeat is answered even where the price has changed since
      When Ayesha places the order A of 2 mugs under the key k1
      And the mug costs 1600.00 PKR from now on
      And Ayesha tries to order 2 mugs for 3000.00 PKR
      Then the answer is 409 TOTAL_CHANGED
      When Ayesha repeats the order A as B under the key k1
      Then the answer is 201
      And the total is 3000.00 PKR
      And A and B are one order

    Scenario: A key is for one order
      When Ayesha places the order A of 2 mugs under the key k1
      And Ayesha places the order B of 3 mugs under the key k1
      Then the answer is 422 IDEMPOTENCY_KEY_REUSED

    Scenario: Another customer's key is another key
      When Ayesha places the order A of 2 mugs under the key k1
      And Bilal places the order B of 2 mugs under the key k1
      Then A and B are two orders

  Rule: What order knows of products is as new as what was told last

    Scenario: An older word changes nothing
      When the mug costs 1600.00 PKR from now on
      And an older word says that the mug costs 900.00 PKR
      And a visitor asks what 1 mug cost in PKR
      Then the total is 1600.00 PKR

    Scenario: A word that comes again after a newer one changes nothing
      When the mug costs 1600.00 PKR from now on
      And the mug costs 1700.00 PKR from now on
      And the previous event is published again
      And a visitor asks what 1 mug cost in PKR
      Then the total is 1700.00 PKR
