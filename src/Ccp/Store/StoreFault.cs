using Microsoft.Data.Sqlite;

namespace Ccp.Store;

/// <summary>What an error of SQLite means to an operator, and whose fault it is.</summary>
internal static class StoreFault
{
    public const string AfterDamage = "Stop ccp, keep the file, and restore a backup: docs/recovery.md says how.";

    private const int Permission = 3;
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int InputOutput = 10;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int Constraint = 19;
    private const int NotADatabase = 26;

    /// <summary>A broken constraint is the operation's fault, not the store's.</summary>
    public static bool IsOfTheOperation(Exception error) => error is not SqliteException { SqliteErrorCode: not Constraint };

    /// <summary>What is in the file is wrong. It does not heal by itself, and reading on may give wrong answers.</summary>
    public static bool IsDamage(Exception error) => error is SqliteException { SqliteErrorCode: Corrupt or NotADatabase };

    /// <summary>One or two sentences: what is wrong, and what to do. No secret, no value.</summary>
    public static string Describe(Exception error) => error is not SqliteException sqlite ? error.Message : sqlite.SqliteErrorCode switch
    {
        Full => "The disk of the store is full. Free some space on it.",
        ReadOnly or Permission or CannotOpen =>
            $"The store cannot be written: its file, its directory or its filesystem is read-only, or belongs to another user ({Short(sqlite)}). Make it writable for the user that ccp runs as.",
        Corrupt or NotADatabase => $"The store is damaged ({Short(sqlite)}). {AfterDamage}",
        Busy or Locked => "Another program holds a lock on the store. End that program.",
        InputOutput => $"The disk of the store reports an error ({Short(sqlite)}). Look at the disk and at the kernel's log.",
        _ => $"The store cannot be written ({Short(sqlite)}).",
    };

    private static string Short(SqliteException error) => error.SqliteExtendedErrorCode == error.SqliteErrorCode
        ? $"SQLite error {error.SqliteErrorCode}: {Text(error)}"
        : $"SQLite error {error.SqliteExtendedErrorCode}: {Text(error)}";

    /// <summary>SQLite's own words, out of the sentence that the library makes of them.</summary>
    private static string Text(SqliteException error) =>
        error.Message.Split('\'') is [_, .. var inner, _] ? string.Join('\'', inner).TrimEnd('.') : error.Message;
}
