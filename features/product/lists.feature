@alone
Feature: Finding products
  Customers list active products, filtered by category, price and words, in an order and in pages.

  Background:
    Given these active products, created in this order
      | name     | sku  | category | price                 |
      | Red mug  | AB-1 | Kitchen  | 1500.00 PKR, 5.99 USD |
      | Blue mug | AB-2 | Kitchen  | 1400.00 PKR           |
      | Tea pot  | CD-1 | Kitchen  | 4200.00 PKR           |
      | Straße   | EF-1 | Books    | 900.00 PKR            |
      | 50% wool | GH_1 | Clothing | 9.00 USD              |
    And the draft "Green mug" for 1500.00 PKR
    And the archived product "Old mug" for 1500.00 PKR

  Scenario Outline: Lists are filtered, searched and ordered
    When customers list products with <parameters>
    Then they find <products>

    Examples: filters
      | parameters                                         | products                                     |
      |                                                    | 50% wool, Straße, Tea pot, Blue mug, Red mug |
      | category=Kitchen                                   | Tea pot, Blue mug, Red mug                   |
      | category=kitchen                                   | nothing                                      |
      | currencyCode=PKR&minPrice=1400.00&maxPrice=1500.00 | Blue mug, Red mug                            |
      | currencyCode=PKR&minPrice=1500.01                  | Tea pot                                      |
      | currencyCode=USD&maxPrice=5.99                     | Red mug                                      |
      | currencyCode=JPY&minPrice=1                        | nothing                                      |

    Examples: words
      | parameters     | products          |
      | query=mug      | Blue mug, Red mug |
      | query=RE+MU    | Red mug           |
      | query=ug       | nothing           |
      | query=ab-      | Blue mug, Red mug |
      | query=tea+cd-1 | Tea pot           |
      | query=strasse  | Straße            |
      | query=50%25    | 50% wool          |
      | query=%25      | nothing           |
      | query=gh_      | 50% wool          |
      | query=g__      | nothing           |

    Examples: orders
      | parameters                                    | products                                     |
      | orderBy=PRODUCT_ORDER_NAME                    | 50% wool, Blue mug, Red mug, Straße, Tea pot |
      | orderBy=PRODUCT_ORDER_PRICE&currencyCode=PKR  | Straße, Blue mug, Red mug, Tea pot, 50% wool |
      | orderBy=PRODUCT_ORDER_NEWEST&category=Kitchen | Tea pot, Blue mug, Red mug                   |

  Scenario Outline: The pages contain every product once
    When customers read all pages of size <size> with <parameters>
    Then they find <products>

    Examples:
      | size | parameters                                   | products                                     |
      | 1    | orderBy=PRODUCT_ORDER_NAME                   | 50% wool, Blue mug, Red mug, Straße, Tea pot |
      | 2    | orderBy=PRODUCT_ORDER_PRICE&currencyCode=PKR | Straße, Blue mug, Red mug, Tea pot, 50% wool |
      | 3    |                                              | 50% wool, Straße, Tea pot, Blue mug, Red mug |
      | 200  | query=mug                                    | Blue mug, Red mug                            |

  Scenario: A page token is valid for its own list only
    Given customers have the page token of "category=Kitchen"
    When customers use the page token with "category=Books"
    Then the request is rejected as INVALID_PAGE_TOKEN

  Scenario Outline: Invalid parameters are rejected with the field
    When customers list products with <parameters>
    Then the request is invalid at <field>

    Examples:
      | parameters                  | field        |
      | minPrice=1.00               | minPrice     |
      | currencyCode=PKR&maxPrice=1 | maxPrice     |
      | currencyCode=ABC            | currencyCode |
      | orderBy=PRODUCT_ORDER_PRICE | orderBy      |
      | pageSize=-1                 | pageSize     |
      | colour=red                  | colour       |

  Scenario: Admins list every status
    When the admin lists products with status=PRODUCT_STATUS_DRAFT
    Then they find Green mug
    When the admin lists products with query=mug
    Then they find Old mug, Green mug, Blue mug, Red mug

  Scenario: The current state of all products is republished
    When the admin republishes the catalog
    Then the mart has published
      | ProductRepublished | Old mug   |
      | ProductRepublished | Green mug |
      | ProductRepublished | 50% wool  |
      | ProductRepublished | Straße    |
      | ProductRepublished | Tea pot   |
      | ProductRepublished | Blue mug  |
      | ProductRepublished | Red mug   |
