Feature: Accounts
  Somebody registers a mail address, proves the mailbox by a link, and can log in from then on. No answer tells whether an
  address has an account.

  Rule: Only who reads the mailbox gets in

    Scenario: Registered, proved, logged in
      When Ayesha registers with "correct horse battery"
      Then the answer is 200
      When Ayesha logs in with "correct horse battery" as laptop
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha proves the mailbox by the link in it
      Then the answer is 200
      When Ayesha logs in with "correct horse battery" as laptop
      Then the answer is 200
      And the user has published UserRegistered, EmailVerified

    Scenario: A link is good once
      When Ayesha registers with "correct horse battery"
      And Ayesha proves the mailbox by the link in it
      And Ayesha proves the mailbox by the link in it
      Then the answer is 409 INVALID_LINK

    Scenario: Who opens the link of a stranger's registration proves nothing
      Given a stranger has registered Ayesha's address with "purple monkey dish"
      When Ayesha proves the mailbox by the link in it with "correct horse battery"
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha logs in with "purple monkey dish" as stranger
      Then the answer is 401 INVALID_CREDENTIALS

    Scenario: Proof of a mailbox voids what a stranger registered for it
      Given a stranger has registered Ayesha's address with "purple monkey dish"
      When Ayesha registers with "correct horse battery"
      And Ayesha proves the mailbox by the link in it
      Then the answer is 200
      When Ayesha logs in with "purple monkey dish" as stranger
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha logs in with "correct horse battery" as laptop
      Then the answer is 200

    Scenario: Who registers a known address learns nothing, and its owner is sent a way in
      Given Ayesha has registered with "correct horse battery" and proved the mailbox
      When Ayesha registers with "purple monkey dish"
      Then the answer is 200
      When Ayesha logs in with "purple monkey dish" as stranger
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha sets "another horse battery" by the link in the mailbox
      Then the answer is 200

    Scenario Outline: A password that is easy to guess is refused
      When Ayesha registers with "<password>"
      Then <refused>

      Examples:
        | password             | refused                         |
        | aaaaaaaaaaaa         | the answer is 409 WEAK_PASSWORD |
        | short                | it is refused for its password  |

  Rule: Who guesses waits

    Scenario: Five failures cost nothing, then the wait begins
      Given Ayesha has registered with "correct horse battery" and proved the mailbox
      When an attacker tries 5 wrong passwords for Ayesha
      And Ayesha logs in with "correct horse battery" as laptop
      Then the answer is 429 TOO_MANY_ATTEMPTS

    Scenario: An address without an account is told the same
      When an attacker tries 5 wrong passwords for Nobody
      And Nobody logs in with "correct horse battery" as laptop
      Then the answer is 429 TOO_MANY_ATTEMPTS

    Scenario: Who waited gets in
      Given Ayesha has registered with "correct horse battery" and proved the mailbox
      When an attacker tries 5 wrong passwords for Ayesha
      And 2 seconds pass
      And Ayesha logs in with "correct horse battery" as laptop
      Then the answer is 200

  Rule: A user says of himself what he may, and nothing else

    Scenario Outline: What may be said
      Given Ayesha has registered with "correct horse battery" and proved the mailbox
      And Ayesha has logged in with "correct horse battery" as laptop
      When the user says that the <member> is "<value>"
      Then the answer is 200
      And the <member> is "<kept>"
      And the user has published UserRegistered, EmailVerified, ProfileUpdated

      Examples:
        | member   | value           | kept          |
        | name     | Ayesha Khan     | Ayesha Khan   |
        | locale   | ur-PK           | ur-PK         |
        | timeZone | Asia/Karachi    | Asia/Karachi  |
        | phone    | +92 300 1234567 | +923001234567 |

    Scenario Outline: What may not
      Given Ayesha has registered with "correct horse battery" and proved the mailbox
      And Ayesha has logged in with "correct horse battery" as laptop
      When the user says that the <member> is "<value>"
      Then <refused>

      Examples:
        | member   | value             | refused                          |
        | email    | other@example.com | it is refused for its email      |
        | role     | ROLE_ADMIN        | it is refused for its role       |
        | userId   | 1                 | it is refused for its userId     |
        | timeZone | Asia/Nowhere      | it is refused for its timeZone   |
        | phone    | +92 300           | the answer is 409 INVALID_PHONE  |

  Rule: A user keeps addresses under labels

    Background:
      Given Ayesha has registered with "correct horse battery" and proved the mailbox
      And Ayesha has logged in with "correct horse battery" as laptop

    Scenario: Kept, changed, forgotten
      When the user keeps an address in Lahore as "home"
      And the user keeps an address in Karachi as "my work"
      Then the user's addresses are home in Lahore, my work in Karachi
      When the user keeps an address in Multan as "home"
      And the user forgets the address "my work"
      Then the user's addresses are home in Multan
      When the user forgets the address "my work"
      Then the answer is 200

    Scenario: One too many
      Given the user keeps 20 addresses
      When the user keeps an address in Lahore as "one more"
      Then the answer is 409 TOO_MANY_ADDRESSES

    Scenario Outline: What is no label or no address
      When the user keeps an address in <city> as "<label>"
      Then it is refused for its <place>

      Examples:
        | label | city   | place        |
        | --    | Lahore | label        |
