using Ccp.Issuing;
using Ccp.Tests.Store;

namespace Ccp.Tests.Issuing;

public sealed class RedemptionsTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Goal: an invite is never redeemed more often than it may be.
    /// Method: twenty at once for one of five, through two counters that know each other by the file only, as two processes do.
    /// </summary>
    [Fact]
    public async Task Twenty_at_once_for_an_invite_of_five_get_five()
    {
        using var one = Open();
        using var other = Open();
        var counts = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(() => (number % 2 == 0 ? one : other).TakeAsync("invite", 5))));

        Assert.Equal([1L, 2, 3, 4, 5], counts.OfType<long>().Order());
        Assert.True(one.IsUsedUp("invite", 5));
        Assert.False(one.IsUsedUp("invite", 6));
    }

    [Fact]
    public async Task A_redemption_survives_a_restart_and_invites_are_counted_apart()
    {
        using (var first = Open())
        {
            await first.TakeAsync("a", 1);
        }

        using var second = Open();
        Assert.Null(await second.TakeAsync("a", 1));
        Assert.Equal(1, await second.TakeAsync("b\"\n", 1));
        Assert.Null(await second.TakeAsync("b\"\n", 1));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_folder["counts"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("""{"a":"1"}""")]
    [InlineData("""{"a":1,"a":2}""")]
    public async Task A_damaged_file_redeems_nothing(string content)
    {
        File.WriteAllText(_folder["counts"], content);
        using var redemptions = Open();

        await Assert.ThrowsAsync<IOException>(() => redemptions.TakeAsync("a", 5));
        Assert.Equal(content, File.ReadAllText(_folder["counts"]));
    }

    private Redemptions Open() => new(_folder["counts"]);
}
