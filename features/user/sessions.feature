Feature: Sessions
  A session is one log-in on one device. Its refresh token is exchanged for a new one each time; a copy that comes later gives
  a thief away and ends the session.

  Background:
    Given Ayesha has registered with "correct horse battery" and proved the mailbox
    And Ayesha has logged in with "correct horse battery" as laptop

  Scenario: A session goes on
    When laptop refreshes
    Then the answer is 200
    When laptop refreshes
    Then the answer is 200

  Scenario: Whoever has the public keys can look into a token
    Then everybody can read the key of the user's token

  Scenario: Two tabs that wake up together both go on
    When laptop refreshes as tab
    Then the answer is 200
    When laptop refreshes
    Then the answer is 200
    When tab refreshes
    Then the answer is 200

  @moment
  Scenario: A copy that comes later ends the session for both
    When laptop refreshes as owner
    And 11 seconds pass
    And laptop refreshes
    Then the answer is 401 SESSION_ENDED
    When owner refreshes
    Then the answer is 401 SESSION_ENDED

  Scenario: Logged out here, and still in there
    Given Ayesha has logged in with "correct horse battery" as phone
    When laptop logs out
    Then the answer is 200
    When laptop refreshes
    Then the answer is 401 SESSION_ENDED
    When phone refreshes
    Then the answer is 200

  Scenario: Logged out everywhere
    Given Ayesha has logged in with "correct horse battery" as phone
    When the user logs out everywhere
    Then the answer is 200
    When laptop refreshes
    Then the answer is 401 SESSION_ENDED
    When phone refreshes
    Then the answer is 401 SESSION_ENDED

  Scenario: Another password ends all sessions
    When the user changes the password from "a wrong password" to "purple monkey dish"
    Then the answer is 401 INVALID_CREDENTIALS
    When the user changes the password from "correct horse battery" to "purple monkey dish"
    Then the answer is 200
    When laptop refreshes
    Then the answer is 401 SESSION_ENDED
    When Ayesha logs in with "purple monkey dish" as laptop
    Then the answer is 200
    And the user has published UserRegistered, EmailVerified, PasswordChanged

  Scenario: A reset by mail ends all sessions
    When Ayesha asks for a new password
    Then the answer is 200
    When Ayesha sets "purple monkey dish" by the link in the mailbox
    Then the answer is 200
    When laptop refreshes
    Then the answer is 401 SESSION_ENDED
    When Ayesha logs in with "purple monkey dish" as laptop
    Then the answer is 200

  Scenario: Who asks for a mailbox without an account is answered the same
    When Nobody asks for a new password
    Then the answer is 200

  Scenario: A disabled user is out, and back when he is enabled
    When an admin disables the user
    Then the answer is 200
    When laptop refreshes
    Then the answer is 401 SESSION_ENDED
    When Ayesha logs in with "correct horse battery" as laptop
    Then the answer is 401 INVALID_CREDENTIALS
    When an admin enables the user
    And Ayesha logs in with "correct horse battery" as laptop
    Then the answer is 200
    And the user has published UserRegistered, EmailVerified, UserDisabled, UserEnabled

  Scenario: An admin who was disabled can't undo it by a token that is still good
    When an admin disables the user
    And the user, who was an admin, enables their own account
    Then the answer is 403 CALLER_DISABLED
    When Ayesha logs in with "correct horse battery" as laptop
    Then the answer is 401 INVALID_CREDENTIALS
