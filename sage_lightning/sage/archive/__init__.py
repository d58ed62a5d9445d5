"""The archive of Sage: records of uploads from its query API, files from its storage, kept in a folder."""
