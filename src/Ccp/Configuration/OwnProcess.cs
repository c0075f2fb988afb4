using System.Runtime.InteropServices;

namespace Ccp.Configuration;

/// <summary>The three things about its own process that ccp asks the C library for.</summary>
internal static partial class OwnProcess
{
    /// <summary>The effective user id.</summary>
    public static uint UserId => GetEffectiveUserId();

    /// <summary>From here on every file and socket is made for its owner only.</summary>
    public static void MakeFilesPrivate() => _ = SetFileModeMask(Convert.ToUInt32("077", 8));

    /// <summary>
    /// From here on no core of this process is written, to a file or to a handler of cores, and nobody but root attaches to it or reads its memory and
    /// environment: keys and what people say are in there.
    /// </summary>
    /// <returns>False when the system does not allow it.</returns>
    public static bool KeepMemoryPrivate() => ControlProcess(PrSetDumpable, 0, 0, 0, 0) == 0;

    // Of linux/prctl.h.
    private const int PrSetDumpable = 4;

    [LibraryImport("libc", EntryPoint = "prctl")]
    private static partial int ControlProcess(int operation, nuint value, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetFileModeMask(uint mask);
}
