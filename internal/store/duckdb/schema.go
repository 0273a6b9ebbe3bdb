package duckdb

// schemaVersion changes with every change of the tables that an older program
// could not read.
const schemaVersion = 1

// Observations keep their position (partition, frame, idx); a sample or a
// reading keeps the columns of its series. Times are microseconds since 1970
// in BIGINT, so that no session's time zone can touch them.
const schema = `
CREATE TABLE meta (key VARCHAR PRIMARY KEY, value VARCHAR);
CREATE TABLE positions (part USMALLINT PRIMARY KEY, frame UBIGINT);
CREATE TABLE states (part USMALLINT PRIMARY KEY, frame UBIGINT, state BLOB);
CREATE TABLE reports (
  part USMALLINT, frame UBIGINT, idx USMALLINT, at_us BIGINT, received BIGINT, origin VARCHAR,
  service VARCHAR, symptom VARCHAR, surface VARCHAR, works BOOLEAN, since BIGINT,
  country VARCHAR, asn UINTEGER, reporter UBIGINT, network UBIGINT, key UBIGINT);
CREATE TABLE others (
  part USMALLINT, frame UBIGINT, idx USMALLINT, at_us BIGINT, received BIGINT, origin VARCHAR,
  kind VARCHAR, service VARCHAR, body VARCHAR);
CREATE TABLE samples (
  metric VARCHAR, service VARCHAR, level UTINYINT, country VARCHAR, asn UINTEGER, vantage VARCHAR, target VARCHAR,
  start BIGINT, width BIGINT, value DOUBLE, n DOUBLE, raw INTEGER, works INTEGER, complete DOUBLE, revision INTEGER, body VARCHAR);
CREATE TABLE hours (
  metric VARCHAR, service VARCHAR, level UTINYINT, country VARCHAR, asn UINTEGER, vantage VARCHAR, target VARCHAR,
  start BIGINT, value DOUBLE, n DOUBLE, raw BIGINT, works BIGINT, complete DOUBLE);
CREATE TABLE readings (
  metric VARCHAR, service VARCHAR, level UTINYINT, country VARCHAR, asn UINTEGER, vantage VARCHAR, target VARCHAR,
  at_us BIGINT, width BIGINT, expected DOUBLE, low DOUBLE, high DOUBLE, body VARCHAR);
CREATE TABLE cells (
  service VARCHAR, start BIGINT, country VARCHAR, asn UINTEGER, symptom VARCHAR, surface VARCHAR, works BOOLEAN, n INTEGER, origin VARCHAR);
CREATE TABLE cell_hours (
  service VARCHAR, start BIGINT, country VARCHAR, asn UINTEGER, symptom VARCHAR, surface VARCHAR, works BOOLEAN, n BIGINT, origin VARCHAR);
CREATE TABLE records (
  seq UBIGINT, kind VARCHAR, id VARCHAR, revision INTEGER, service VARCHAR, at_us BIGINT, made_by VARCHAR, origin VARCHAR, body VARCHAR);
`

// session is what the writing connection has for itself: records on their way
// in.
const session = `
CREATE TEMP TABLE incoming (
  seq UBIGINT, kind VARCHAR, id VARCHAR, revision INTEGER, service VARCHAR, at_us BIGINT, made_by VARCHAR, origin VARCHAR, body VARCHAR);
`
