using System.Text;

namespace Ccp.Tests.Shared;

/// <summary>What a bad disk does to a store.</summary>
internal static class Damage
{
    private const int PageBytes = 4096;

    /// <summary>Overwrites the last pages of a file that nobody has open for writing: the newest rows, and none that hold the tables together.</summary>
    public static void LastPages(string path, int count)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        var length = Math.Min((long)count * PageBytes, file.Length - (2 * PageBytes));
        file.Position = file.Length - length;
        file.Write(Enumerable.Repeat((byte)0xA5, (int)length).ToArray());
    }

    /// <summary>Overwrites the page that holds a text; the last, since pages nearer the root may keep what has moved.</summary>
    public static void PageWith(string path, string text)
    {
        var bytes = File.ReadAllBytes(path);
        var page = bytes.AsSpan().LastIndexOf(Encoding.UTF8.GetBytes(text)) / PageBytes;
        bytes.AsSpan(page * PageBytes, PageBytes).Fill(0xA5);
        File.WriteAllBytes(path, bytes);
    }
}
