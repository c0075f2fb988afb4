using Ccp.Admin;
using Ccp.Tests.Shared;
using Ccp.Tests.Store;

namespace Ccp.Tests.Admin;

/// <summary>What the doctor says of the file and of the disks, and what to do.</summary>
public sealed class DoctorTests
{
    private const long GibiByte = 1L << 30;
    private const long MebiByte = 1L << 20;

    [Theory]
    [InlineData("paused = 7", "found 7. What was in force before is in force still, but ccp does not start with this file: correct it.")]
    [InlineData("", "or write a comment into it if the defaults are meant. What was in force before is in force until then.")]
    [InlineData("[[lane]]\nname = 'zai'\nprice_as = 'house-1'\n[[price]]\nmodel = 'house-1'\ninput = 1\noutput = 2", "restart ccp, or leave those lanes and routes as they were. What was in force before is in force until then.")]
    public async Task What_cures_a_file_that_is_not_taken_up_is_said_of_each_case(string text, string words)
    {
        await using var till = TillUnderTest.WithConfig("# the defaults");
        till.FileText = text;

        Assert.EndsWith(words, Message(await till.AskAsync("GET", "/admin/doctor"), "configuration"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_disk_is_that_of_the_store_wherever_the_data_is()
    {
        using var elsewhere = new TempFolder();
        await using var till = TillUnderTest.WithConfig($"[storage]\npath = '{elsewhere["ccp.db"]}'");

        Assert.Contains($" MiB are left on the disk of {elsewhere.Path}", Message(await till.AskAsync("GET", "/admin/doctor"), "disk"), StringComparison.Ordinal);
    }

    [Fact]
    public void Each_disk_that_ccp_writes_to_is_told_of_once_with_what_comes_of_it_when_it_is_full()
    {
        Assert.Equal(
            ["disk ok: 2048 MiB are left on the disk of /store"],
            Found(_ => (4 * GibiByte, 2 * GibiByte)));
        Assert.Equal(
            [
                "disk problem: 15 MiB are left on the disk of /store: billed calls are refused. Free some space.",
                "disk of data warning: 100 MiB are left on the disk of /data. Free some space before a license, a policy or a pause cannot be written down.",
            ],
            Found(path => path == "/store" ? (GibiByte, 15 * MebiByte) : (GibiByte, 100 * MebiByte)));
        Assert.Equal(
            [
                "disk ok: 2048 MiB are left on the disk of /store",
                "disk of logs problem: 0 MiB are left on the disk of /logs: lines of the usage log are lost. Free some space.",
            ],
            Found(path => (4 * GibiByte, path == "/logs" ? 0 : (2 * GibiByte) + path.Length)));
        Assert.Equal(
            ["disk problem: The disk of /store cannot be looked at: gone", "disk of data ok: 2048 MiB are left on the disk of /data"],
            Found(path => path == "/store" ? throw new IOException("gone") : (4 * GibiByte, 2 * GibiByte)));
    }

    [Fact]
    public void A_directory_that_is_not_there_yet_is_on_the_disk_of_the_one_above()
    {
        using var folder = new TempFolder();
        Assert.Equal(DiskFindings.RoomAt(folder.Path).Size, DiskFindings.RoomAt(folder["not/there/yet"]).Size);
    }

    private static IEnumerable<string> Found(Func<string, (long Size, long Free)> room) =>
        DiskFindings.Of("/store", "/data", "/logs", room).Select(finding => $"{finding.Topic} {finding.Level}: {finding.Message}");

    private static string Message(Answer answer, string topic) => answer.Json.GetProperty("findings").EnumerateArray()
        .First(finding => finding.GetProperty("topic").GetString() == topic)
        .GetProperty("message").GetString()!;
}
