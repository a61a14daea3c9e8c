Feature: What customers are told

  Rule: A customer hears of every step once, however often it is told

    Scenario: From the order to the door
      Given an order of a customer with a mailbox
      When the order is placed
      And the order is paid
      And the order is shipped
      And the order is delivered
      Then these are sent about the order
        | PLACED    | MAIL |
        | PAID      | MAIL |
        | SHIPPED   | MAIL |
        | DELIVERED | MAIL |

    Scenario: A phone hears of little unless its owner wants more
      Given an order of a customer with a mailbox and a phone
      When the order is placed
      And the order is shipped
      And the order is cancelled
      Then these are sent about the order
        | PLACED    | MAIL |
        | SHIPPED   | MAIL |
        | SHIPPED   | SMS  |
        | CANCELLED | MAIL |
        | CANCELLED | SMS  |

    Scenario: An order that was reinstated is told of once more
      Given an order of a customer with a mailbox
      When the order is placed
      And the order is cancelled
      And the order is paid after it was reinstated
      Then these are sent about the order
        | PLACED    | MAIL |
        | CANCELLED | MAIL |
        | PAID      | MAIL |

    Scenario: Money that goes back in two parts is told of twice
      Given an order of a customer with a mailbox
      When the order is placed
      And a part of its money is refunded
      And a part of its money is refunded
      Then these are sent about the order
        | PLACED   | MAIL |
        | REFUNDED | MAIL |
        | REFUNDED | MAIL |

    Scenario: A payment failed before anybody knew of the order
      Given an order of a customer with a mailbox
      When its payment fails
      And the order is placed
      Then these are sent about the order
        | PLACED | MAIL |
        | FAILED | MAIL |

    Scenario: The last contact counts
      Given an order of a customer with a mailbox
      When the order is placed
      Then these are sent about the order
        | PLACED | MAIL |
      When the order gets another mailbox
      And the order is paid
      Then what is told of its payment goes to the other mailbox

  Rule: Links go to the mailbox that they are for

    Scenario Outline: A link
      When a <link> link is published for a mailbox
      Then one <kind> mail is sent to that mailbox

      Examples:
        | link         | kind         |
        | verification | REGISTRATION |
        | reset        | RESET        |

  Rule: A customer chooses what need not be told

    Scenario: Somebody does not want to hear of arrivals
      Given an order of a customer with a mailbox
      And the customer does not want DELIVERED by MAIL
      When the order is placed
      And the order is delivered
      Then these are sent about the order
        | PLACED | MAIL |
      And DELIVERED by MAIL is suppressed

    Scenario: Somebody wants to hear of payments by phone
      Given an order of a customer with a mailbox and a phone
      And the customer wants PAID by SMS
      When the order is paid
      Then these are sent about the order
        | PAID | MAIL |
        | PAID | SMS  |

    Scenario Outline: What the account or the law needs can't be chosen
      When the customer does not want <kind> by MAIL
      Then it is refused as 409 NOTIFICATION_MANDATORY

      Examples:
        | kind         |
        | REGISTRATION |
        | RESET        |
        | PLACED       |
        | PAID         |
        | CANCELLED    |
        | REFUNDED     |

    Scenario: A phone is never asked for a link
      When the customer wants RESET by SMS
      Then it is refused as 409 NOTIFICATION_MANDATORY

    Scenario: There is a choice for every kind and channel
      When the customer looks at what can be chosen
      Then there are 18 choices, 8 of them fixed

  Rule: What a mail server refuses is not lost

    Scenario: A mailbox that is refused
      Given an order of a customer whose mailbox is refused
      When the order is placed
      Then PLACED by MAIL has failed
      When an admin has it sent again
      Then it is tried once more and fails again

    Scenario: What was sent is not sent again
      Given an order of a customer with a mailbox
      When the order is placed
      Then these are sent about the order
        | PLACED | MAIL |
      When an admin has it sent again
      Then it is refused as 409 NOTIFICATION_NOT_FAILED

    Scenario: There is no such notification
      When an admin has one sent again that is not there
      Then it is refused as 404 NOTIFICATION_NOT_FOUND
