using System.Text;
using Ccp.Issuing;
using Ccp.Tests.Licenses;
using Ccp.Tests.Store;

namespace Ccp.Tests.Issuing;

public sealed class InviteFileTests
{
    private const string Toml =
        """
        [[invite]]
        code = "3fz9-team-a"
        plan = "trial"
        features = ["zai_offload", "x"]
        ttl_days = 14
        max_redemptions = 5
        expires_at = 2027-01-01T00:00:00Z
        [[invite]]
        code = "for-ever-open"
        plan = "pro"
        ttl_days = 365
        max_redemptions = 1
        """;

    private const string Json =
        """
        {"invite": [
          {"code": "3fz9-team-a", "plan": "trial", "features": ["zai_offload", "x"], "ttl_days": 14, "max_redemptions": 5, "expires_at": "2027-01-01T00:00:00Z"},
          {"code": "for-ever-open", "plan": "pro", "ttl_days": 365, "max_redemptions": 1}
        ]}
        """;

    [Theory]
    [InlineData(Toml)]
    [InlineData(Json)]
    public void Both_forms_say_the_same(string text)
    {
        var (invites, problems) = InviteFile.Read("invites", Encoding.UTF8.GetBytes(text));

        Assert.Empty(problems);
        var invite = invites!["3fz9-team-a"];
        Assert.Equal(("trial", 14.0, 5L), (invite.Plan, invite.Lifetime.TotalDays, invite.RedemptionsMax));
        Assert.Equal(["zai_offload", "x"], invite.Features);
        Assert.Equal(new DateTimeOffset(2027, 1, 1, 0, 0, 0, TimeSpan.Zero), invite.ExpiresAt);
        Assert.Null(invites["for-ever-open"].ExpiresAt);
        Assert.Empty(invites["for-ever-open"].Features);
    }

    [Theory]
    [InlineData("ttl_days = 14", "ttl_days = 0", "invites:5:12: invite.ttl_days: expected a whole number from 1 to 36500, found 0")]
    [InlineData("ttl_days = 14", "", "invites:1:1: invite: ttl_days is missing")]
    [InlineData("\"trial\"", "\"tri al\"", "invites:3:8: invite.plan: expected up to 64 letters, digits, \"_\", \"-\" and \".\"")]
    [InlineData("\"3fz9-team-a\"", "\"short\"", "invites:2:8: invite.code: expected 8 to 128 letters, digits and signs without blanks")]
    [InlineData("for-ever-open", "3fz9-team-a", "invites:9:8: invite.code: this code stands twice")]
    [InlineData("max_redemptions = 5", "max_redemption = 5", "invites:1:1: invite: max_redemptions is missing|invites:6:1: invite.max_redemption: there is no such setting; did you mean \"max_redemptions\"?")]
    public void Every_problem_has_its_place(string part, string instead, string problems)
    {
        var (invites, found) = InviteFile.Read("invites", Encoding.UTF8.GetBytes(Toml.Replace(part, instead, StringComparison.Ordinal)));

        Assert.Null(invites);
        Assert.Equal(problems, string.Join('|', found));
    }

    [Theory]
    [InlineData("{")]
    [InlineData("{\"invite\":[{\"code\":1.5}]}")]
    [InlineData("{\"invite\":[],\"invite\":[]}")]
    [InlineData("{\"\\ud800\":1}")]
    [InlineData("{\"invite\":null}")]
    public void What_is_not_JSON_is_a_problem_and_no_failure(string text)
    {
        Assert.NotEmpty(InviteFile.Read("invites.json", Encoding.UTF8.GetBytes(text)).Problems);
    }

    [Fact]
    public void Problems_of_JSON_have_their_place_too()
    {
        var (_, problems) = InviteFile.Read("invites.json", Encoding.UTF8.GetBytes(Json.Replace("14", "\"14\"", StringComparison.Ordinal)));

        Assert.Equal("invites.json:2:90: invite.ttl_days: expected a whole number from 1 to 36500, found \"14\"", Assert.Single(problems).ToString());
    }

    [Fact]
    public void What_looks_like_a_date_is_one_only_where_a_date_belongs()
    {
        var (invites, problems) = InviteFile.Read("invites.json", Encoding.UTF8.GetBytes(Json.Replace("3fz9-team-a", "2026-12-24", StringComparison.Ordinal).Replace("\"x\"", "\"2026-12-25\"", StringComparison.Ordinal)));

        Assert.Empty(problems);
        Assert.Equal(["zai_offload", "2026-12-25"], invites!["2026-12-24"].Features);
        Assert.Equal(2027, invites["2026-12-24"].ExpiresAt!.Value.Year);
    }

    [Fact]
    public void A_changed_file_is_read_again_and_a_bad_change_keeps_what_stood()
    {
        using var folder = new TempFolder();
        var (path, log) = (folder["invites.toml"], new LogLines());
        folder.WritePrivate("invites.toml", Toml);
        var book = new InviteBook(path, log);
        Assert.NotNull(book.Find("for-ever-open"));

        File.WriteAllText(path, Toml + "\nthis is wrong");
        Assert.NotNull(book.Find("for-ever-open"));
        Assert.Contains("the invites stay as they were", Assert.Single(log.All), StringComparison.Ordinal);

        File.WriteAllText(path, Toml.Replace("for-ever-open", "another-code", StringComparison.Ordinal));
        Assert.Null(book.Find("for-ever-open"));
        Assert.NotNull(book.Find("another-code"));
    }

    [Fact]
    public void An_issuer_does_not_start_on_a_bad_file()
    {
        using var folder = new TempFolder();
        folder.WritePrivate("invites.toml", "[[invite]]");

        Assert.Contains("code is missing", Assert.Throws<InvalidOperationException>(() => new InviteBook(folder["invites.toml"], new LogLines())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Codes_that_others_can_read_are_refused_at_the_start_and_taken_up_once_they_cannot()
    {
        using var folder = new TempFolder();
        var (path, log) = (folder["invites.toml"], new LogLines());
        folder.WritePrivate("invites.toml", Toml);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Equal($"The invites file {path} can be read or changed by others; run chmod 600 on it.", Assert.Throws<IOException>(() => new InviteBook(path, log)).Message);

        folder.WritePrivate("invites.toml", Toml);
        var book = new InviteBook(path, log);
        File.WriteAllText(path, Toml.Replace("for-ever-open", "another-code", StringComparison.Ordinal));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.NotNull(book.Find("for-ever-open"));
        Assert.Contains("chmod 600", Assert.Single(log.All), StringComparison.Ordinal);

        // The mode alone changes: neither its time nor its length do.
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.NotNull(book.Find("another-code"));
    }

    [Fact]
    public void A_file_of_many_invites_is_read()
    {
        using var folder = new TempFolder();
        var invites = Enumerable.Range(0, 2_000).Select(number => $"[[invite]]\ncode = \"invite-{number:0000}\"\nplan = \"trial\"\nttl_days = 14\nmax_redemptions = 1\n");
        folder.WritePrivate("invites.toml", string.Concat(invites));

        Assert.Equal(2_000, new InviteBook(folder["invites.toml"], new LogLines()).Count);
    }
}
