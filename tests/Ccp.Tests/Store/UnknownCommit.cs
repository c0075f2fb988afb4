using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Ccp.Store;
using Microsoft.Data.Sqlite;

namespace Ccp.Tests.Store;

/// <summary>A commit that reports an error although its data is on disk: what SQLite does when the hook that follows a commit fails.</summary>
internal static unsafe partial class UnknownCommit
{
    private const int InputOutput = 10;

    public static void Begin(Database database) => SetWalHook(Handle(database), &Fail, 0);

    public static void End(Database database) => SetWalHook(Handle(database), null, 0);

    private static nint Handle(Database database) => ConnectionOf(database).Handle!.DangerousGetHandle();

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_connection")]
    private static extern ref SqliteConnection ConnectionOf(Database database);

    [UnmanagedCallersOnly]
    private static int Fail(nint context, nint connection, nint name, int pages) => InputOutput;

    [LibraryImport("e_sqlite3", EntryPoint = "sqlite3_wal_hook")]
    private static partial nint SetWalHook(nint connection, delegate* unmanaged<nint, nint, nint, int, int> hook, nint context);
}
