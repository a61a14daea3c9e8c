Feature: Details of a product
  A product has a name, a slug and at least one price. SKU and slug are unique ignoring case, including archived products. The SKU
  is optional.

  Scenario: SKU and slug stay reserved after archiving
    Given the archived product "Red mug" for 1500.00 PKR
    When the admin creates a product
      | name  | Another mug |
      | slug  | RED-MUG     |
      | price | 900.00 PKR  |
    Then the request is rejected as SLUG_TAKEN
    When the admin creates a product
      | name  | Another mug |
      | sku   | red mug-1   |
      | price | 900.00 PKR  |
    Then the request is rejected as SKU_TAKEN

  Scenario: Several products can have no SKU
    When the admin creates a product
      | name  | First mug  |
      | sku   |            |
      | price | 900.00 PKR |
    Then it succeeds
    When the admin creates a product
      | name  | Second mug |
      | sku   |            |
      | price | 900.00 PKR |
    Then it succeeds

  Scenario Outline: Invalid details are rejected with the field
    When the admin creates a product
      | name     | Red mug    |
      | slug     | red-mug    |
      | price    | 900.00 PKR |
      | <member> | <value>    |
    Then the request is invalid at <field>
    And the mart has published nothing

    Examples: names and slugs
      | member | value    | field |
      | name   |          | name  |
      | slug   |          | slug  |
      | slug   | red mug  | slug  |
      | slug   | red--mug | slug  |
      | slug   | -red     | slug  |
      | slug   | café     | slug  |

    Examples: prices
      | member | value                  | field                  |
      | price  |                        | prices                 |
      | price  | 0.00 PKR               | prices[0].amount       |
      | price  | -5.00 PKR              | prices[0].amount       |
      | price  | 900 PKR                | prices[0].amount       |
      | price  | 900.000 PKR            | prices[0].amount       |
      | price  | 900.50 JPY             | prices[0].amount       |
      | price  | 900.00 ABC             | prices[0].currencyCode |
      | price  | 900.00 PKR, 950.00 PKR | prices[1].currencyCode |

    Examples: others
      | member    | value                   | field             |
      | attribute | size=small, size=large  | attributes[1].key |
      | image     | ftp://a.example/mug.png | imageUrls[0]      |
      | status    | ARCHIVED                | status            |

  Scenario: All violations are returned at once
    When the admin creates a product
      | name  |         |
      | slug  | no good |
      | price | 1 PKR   |
    Then the request is invalid at slug, name and prices[0].amount

  Scenario Outline: A price has exactly the digits of its currency
    When the admin creates the product "Red mug" for <price>
    Then customers see "Red mug" for <price>

    Examples:
      | price                |
      | 0.01 PKR             |
      | 1500 JPY             |
      | 1.500 KWD            |
      | 9999999999999.99 PKR |

  Scenario Outline: A price has at most fifteen digits, so that no total overflows
    When the admin creates a product
      | name  | Palace  |
      | slug  | palace  |
      | price | <price> |
    Then the request is invalid at prices[0].amount

    Examples:
      | price                    |
      | 10000000000000.00 PKR    |
      | 92233720368547758.07 PKR |

  Scenario: Changes of details and of prices are two events
    Given the product "Red mug" for 1500.00 PKR
    When the admin changes "Red mug"
      | description | Stoneware             |
      | price       | 1600.00 PKR, 5.99 USD |
    Then customers see "Red mug" for 1600.00 PKR, 5.99 USD
    And the mart has published
      | ProductUpdated      | Red mug |
      | ProductPriceChanged | Red mug |

  Scenario: Equal values are no change
    Given the product "Red mug" for 1500.00 PKR
    When the admin changes "Red mug"
      | price | 1500.00 PKR |
    Then it succeeds
    And the mart has published nothing

  Scenario: A change of an older version is rejected
    Given the product "Red mug" for 1500.00 PKR
    And the admin has read "Red mug"
    And the admin has changed "Red mug"
      | description | By another admin |
    When the admin changes the read version of "Red mug"
      | description | Overwritten |
    Then the request is rejected as ETAG_MISMATCH
    And the mart has published nothing

  Scenario: A repeated creation creates one product
    When the admin creates the product "Red mug" for 1500.00 PKR with the idempotency key "k1"
    And the admin creates the product "Red mug" for 1500.00 PKR with the idempotency key "k1"
    Then it succeeds
    And the mart has published
      | ProductCreated | Red mug |

  Scenario: An idempotency key is valid for one request
    Given the admin has created the product "Red mug" for 1500.00 PKR with the idempotency key "k1"
    When the admin creates the product "Blue mug" for 1500.00 PKR with the idempotency key "k1"
    Then the request is rejected as IDEMPOTENCY_KEY_REUSED
    And the mart has published nothing
