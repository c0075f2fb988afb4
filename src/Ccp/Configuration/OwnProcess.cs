using System.Runtime.InteropServices;

namespace Ccp.Configuration;

/// <summary>The two things about its own process that ccp asks the C library for.</summary>
internal static partial class OwnProcess
{
    /// <summary>The effective user id.</summary>
    public static uint UserId => GetEffectiveUserId();

    /// <summary>From here on every file and socket is made for its owner only.</summary>
    public static void MakeFilesPrivate() => _ = SetFileModeMask(Convert.ToUInt32("077", 8));

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetFileModeMask(uint mask);
}
