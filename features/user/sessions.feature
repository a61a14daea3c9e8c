Feature: Sessions
  A session is one log-in on one device. Each refresh exchanges the refresh token for a new one. A token that is reused after the
  grace period may be stolen, so it ends the session.

  Background:
    Given Ayesha has registered with "correct horse battery" and verified the mailbox
    And Ayesha has logged in with "correct horse battery" on laptop

  Scenario: A session can be refreshed repeatedly
    When laptop refreshes
    Then the response is 200
    When laptop refreshes
    Then the response is 200

  Scenario: Access tokens can be verified with the public keys
    Then the published keys verify the user's access token

  Scenario: Two tabs can refresh with the same token
    When laptop refreshes as tab
    Then the response is 200
    When laptop refreshes
    Then the response is 200
    When tab refreshes
    Then the response is 200

  @moment
  Scenario: A replayed token ends the session for owner and thief
    When laptop refreshes as owner
    And 11 seconds pass
    And laptop refreshes
    Then the response is 401 SESSION_ENDED
    When owner refreshes
    Then the response is 401 SESSION_ENDED

  Scenario: A log-out ends one session
    Given Ayesha has logged in with "correct horse battery" on phone
    When laptop logs out
    Then the response is 200
    When laptop refreshes
    Then the response is 401 SESSION_ENDED
    When phone refreshes
    Then the response is 200

  Scenario: A log-out everywhere ends all sessions
    Given Ayesha has logged in with "correct horse battery" on phone
    When the user logs out everywhere
    Then the response is 200
    When laptop refreshes
    Then the response is 401 SESSION_ENDED
    When phone refreshes
    Then the response is 401 SESSION_ENDED

  Scenario: A changed password ends all sessions
    When the user changes the password from "a wrong password" to "purple monkey dish"
    Then the response is 401 INVALID_CREDENTIALS
    When the user changes the password from "correct horse battery" to "purple monkey dish"
    Then the response is 200
    When laptop refreshes
    Then the response is 401 SESSION_ENDED
    When Ayesha logs in with "purple monkey dish" on laptop
    Then the response is 200
    And the user's events are UserRegistered, EmailVerified, PasswordChanged

  Scenario: A password reset ends all sessions
    When Ayesha requests a password reset
    Then the response is 200
    When Ayesha resets the password to "purple monkey dish" with the link
    Then the response is 200
    When laptop refreshes
    Then the response is 401 SESSION_ENDED
    When Ayesha logs in with "purple monkey dish" on laptop
    Then the response is 200

  Scenario: A password reset without an account gets the same answer
    When Bilal requests a password reset
    Then the response is 200

  Scenario: A disabled user cannot log in until they are enabled
    When an admin disables the user
    Then the response is 200
    When laptop refreshes
    Then the response is 401 SESSION_ENDED
    When Ayesha logs in with "correct horse battery" on laptop
    Then the response is 401 INVALID_CREDENTIALS
    When an admin enables the user
    And Ayesha logs in with "correct horse battery" on laptop
    Then the response is 200
    And the user's events are UserRegistered, EmailVerified, UserDisabled, UserEnabled

  Scenario: A disabled admin cannot enable their own account with a valid token
    When an admin disables the user
    And the user, who was an admin, enables their own account
    Then the response is 403 CALLER_DISABLED
    When Ayesha logs in with "correct horse battery" on laptop
    Then the response is 401 INVALID_CREDENTIALS
