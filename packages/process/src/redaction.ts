/**
 * Secrets are taken out of text, not out of known fields: a password reaches a log as often inside an error's message
 * as in a field of its own. The same function guards log lines, fault messages and readiness reasons.
 */

const mask = '***'

/** `scheme://user:password@host`: the password, up to the last `@` before the path. */
const urlPassword = /([a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/?#"'@]{0,200}):[^\s"'/?#]{0,500}@/gi
/** `Bearer`, `Basic` and the like, as they stand in an Authorization header. */
const credentials = /\b([Bb]earer|Basic|Digest)\s+[A-Za-z0-9._~+/=-]{6,}/g
/** A JSON web token anywhere in the text. */
const jsonWebToken = /\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*/g
/** A JSON member whose name says that its value is secret; escapes inside the value are respected. */
const secretMember =
  /"(password|passwd|secret|token|accessToken|access_token|authorization|cookie|set-cookie|apiKey|api_key|privateKey|private_key|saslPassword)":\s*"(?:[^"\\]|\\.)*"/gi
/** `password=…` in a connection string of the key-value form. */
const keyValuePassword = /\b(password|passwd|pwd)=[^\s&;"']+/gi

/** The text without passwords, tokens and keys. */
export function redactText(value: string): string {
  return value
    .replace(urlPassword, `$1:${mask}@`)
    .replace(secretMember, `"$1":"${mask}"`)
    .replace(credentials, `$1 ${mask}`)
    .replace(jsonWebToken, mask)
    .replace(keyValuePassword, `$1=${mask}`)
}
