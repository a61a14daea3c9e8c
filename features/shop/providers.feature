Feature: Whoever takes the money
  Stripe and PayFast speak in other ways than the sandbox: Stripe is asked and ends what is over, PayFast can't be asked, ends
  nothing and sends nothing back. Money, stock and order agree all the same.

  Background:
    Given a shop with 10 mugs for 1500.00 PKR each
    And a customer who has registered, proved the mailbox and logged in

  Rule: What is paid is sold, once

    Scenario Outline: Paid in time
      Given orders are paid with <provider>
      And the customer has ordered 2 mugs
      When the customer <how>
      Then the order is confirmed
      And 3000.00 PKR came in and 0.00 PKR went back
      And there are 8 mugs and 0 of them promised
      And a person has 0 things to decide
      And the customer was mailed that the order was <mails>

      Examples:
        | provider | how                                | mails                |
        | Stripe   | pays                               | placed, paid         |
        | Stripe   | pays, which is reported three times | placed, paid         |
        | Stripe   | pays with the second card          | placed, paid         |
        | Stripe   | leaves and comes back to pay       | placed, paid         |
        | PayFast  | pays                               | placed, paid         |
        | PayFast  | pays, which is reported three times | placed, paid         |
        | PayFast  | pays with the second card          | placed, failed, paid |
        | PayFast  | leaves and comes back to pay       | placed, paid         |

    Scenario Outline: Told once more when all is over
      Given orders are paid with <provider>
      And the customer has ordered 1 mug
      And the customer pays
      Then the order is confirmed
      When the order is shipped and delivered
      And the provider reports it again
      Then the order is delivered
      And 1500.00 PKR came in and 0.00 PKR went back
      And there are 9 mugs and 0 of them promised
      And a person has 0 things to decide

      Examples:
        | provider |
        | Stripe   |
        | PayFast  |

    Scenario: Stripe does not answer, and the customer tries again
      Given orders are paid with Stripe
      And the customer has ordered 1 mug
      And Stripe does not open a page for the order
      When the customer starts to pay
      Then the answer is 503 PROVIDER_UNAVAILABLE
      When the customer pays
      Then the order is confirmed
      And 1500.00 PKR came in and 0.00 PKR went back

  Rule: What is not paid is not sold

    Scenario Outline: Not paid in time
      Given orders are paid with <provider>
      And the customer has ordered 2 mugs
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

  Rule: Money that comes late buys what is still there, or goes back

    Scenario: Stripe is asked when the order's time is over
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is confirmed
      And 3000.00 PKR came in and 0.00 PKR went back
      And there are 8 mugs and 0 of them promised
      And the customer was mailed that the order was placed, cancelled, paid

    Scenario: PayFast tells at last, and the mugs are still there
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is cancelled because of payment timeout
      When the provider reports it late
      Then the order is confirmed
      And 3000.00 PKR came in and 0.00 PKR went back
      And there are 8 mugs and 0 of them promised
      And the customer was mailed that the order was placed, cancelled, paid

    Scenario: PayFast tells at last, and the mugs are gone
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And 46 minutes pass
      Then the order is cancelled because of payment timeout
      When 9 of the mugs break
      And the provider reports it late
      Then the order is cancelled because of no stock
      And a person has 1 thing to decide
      When a person sends the money back
      Then 3000.00 PKR came in and 3000.00 PKR went back
      And there are 1 mugs and 0 of them promised
      And a person has 0 things to decide

    Scenario Outline: Who cancels gets back from Stripe what was on its way
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
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

    Scenario Outline: Who cancels gets back what PayFast tells of later
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the <who> cancels the order
      And the provider reports it late
      Then 3000.00 PKR came in and 0.00 PKR went back
      When a person sends the money back
      Then the order is cancelled because of <who>
      And 3000.00 PKR came in and 3000.00 PKR went back
      And there are 10 mugs and 0 of them promised
      And the customer was mailed that the order was placed, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

  Rule: A paid order may be cancelled until it is shipped, and its money goes back

    Scenario Outline: Cancelled when Stripe had taken the money
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
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

    Scenario Outline: Cancelled when PayFast had taken the money
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the <who> cancels the order
      Then the order is cancelled because of <who>
      And a person has 1 thing to decide
      When a person sends the money back
      Then 3000.00 PKR came in and 3000.00 PKR went back
      And there are 10 mugs and 0 of them promised
      And a person has 0 things to decide
      And the customer was mailed that the order was placed, paid, cancelled, refunded

      Examples:
        | who      |
        | customer |
        | admin    |

    Scenario: A part goes back by Stripe, and then the rest
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      Then 3000.00 PKR came in and 500.00 PKR went back
      And the order is confirmed
      When the customer cancels the order
      Then the order is cancelled because of customer
      And 3000.00 PKR came in and 3000.00 PKR went back
      And the customer was mailed that the order was placed, paid, refunded, cancelled, refunded

    Scenario: A part goes back by hand where PayFast took the money, and the order goes on
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the admin refunds 500.00 PKR
      And a person sends the money back
      Then 3000.00 PKR came in and 500.00 PKR went back
      And the order is confirmed

    Scenario: The bank sends the refund later
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      And the bank sends refunds, but later
      Then the order is confirmed
      When the customer cancels the order
      Then 3000.00 PKR came in and 0.00 PKR went back
      When the bank sends refunds
      And the provider reports it late
      Then 3000.00 PKR came in and 3000.00 PKR went back
      And a person has 0 things to decide

    Scenario: Somebody sends a part back at Stripe itself, and the customer cancels then
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When an operator refunds 500.00 PKR at Stripe itself
      And Stripe reports it in another event
      Then 3000.00 PKR came in and 500.00 PKR went back
      And the order is confirmed
      When the customer cancels the order
      Then 3000.00 PKR came in and 3000.00 PKR went back
      And a person has 0 things to decide
      And the customer was mailed that the order was placed, paid, refunded, cancelled, refunded

    Scenario: The customer's bank disputes the payment
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      Then the order is confirmed
      When the customer's bank disputes it
      And Stripe reports it in another event
      Then a person has 1 thing to decide
      And 3000.00 PKR came in and 0.00 PKR went back
      And the order is confirmed

    Scenario: The bank does not send the refund, and an admin tries again
      Given orders are paid with Stripe
      And the customer has ordered 2 mugs
      And the customer pays
      And the bank does not send refunds
      Then the order is confirmed
      When the customer cancels the order
      Then a person has 1 thing to decide
      And 3000.00 PKR came in and 0.00 PKR went back
      When the bank sends refunds
      And the admin refunds 3000.00 PKR
      Then 3000.00 PKR came in and 3000.00 PKR went back

  Rule: An order is paid once, whoever takes the money

    Scenario Outline: Paid at two providers, and the second gives it back
      Given orders are paid with <first>
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the customer thinks better of it and takes <second>
      And the customer pays
      Then the order is confirmed
      When the customer thinks better of it and takes <first>
      And the provider reports it late
      Then 6000.00 PKR came in and 3000.00 PKR went back
      And the order is confirmed
      And there are 8 mugs and 0 of them promised
      And a person has 0 things to decide

      Examples:
        | first  | second      |
        | Stripe | PayFast     |
        | Stripe | the sandbox |

    Scenario: Paid at two providers, and a person gives it back
      Given orders are paid with PayFast
      And the customer has ordered 2 mugs
      When the customer pays, which is not reported
      And the customer thinks better of it and takes Stripe
      And the customer pays
      Then the order is confirmed
      When the customer thinks better of it and takes PayFast
      And the provider reports it late
      Then 6000.00 PKR came in and 0.00 PKR went back
      When a person sends the money back
      Then 6000.00 PKR came in and 3000.00 PKR went back
      And the order is confirmed
      And there are 8 mugs and 0 of them promised
