using System.Security.Cryptography;
using Ccp.Configuration;
using Ccp.Identity;
using Ccp.Tests.Store;

namespace Ccp.Tests.Identity;

public sealed class SecretsAtRestTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly byte[] Bytes = [.. Enumerable.Range(0, 32).Select(number => (byte)number)];

    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_first_start_makes_a_key_that_only_its_owner_can_read_and_the_next_reads_it()
    {
        var first = MasterKey.Load(null, _folder["master.key"]);

        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_folder["master.key"]));
        Assert.Matches("^[0-9a-f]{64}\n$", File.ReadAllText(_folder["master.key"]));
        Assert.Equal(first.Derive("x"), MasterKey.Load(null, _folder["master.key"]).Derive("x"));
        Assert.NotEqual(first.Derive("x"), MasterKey.Load(null, _folder["other.key"]).Derive("x"));
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    public void A_key_that_others_can_reach_is_not_used(UnixFileMode more)
    {
        MasterKey.Load(null, _folder["master.key"]);
        File.SetUnixFileMode(_folder["master.key"], OwnerOnly | more);

        var error = Assert.Throws<InvalidOperationException>(() => MasterKey.Load(null, _folder["master.key"]));
        Assert.Contains("chmod 600", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(File.ReadAllText(_folder["master.key"]).Trim(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_environment_comes_before_the_file_in_either_spelling()
    {
        var expected = MasterKey.FromBytes(Bytes).Derive("x");
        foreach (var text in new[] { Convert.ToHexString(Bytes), Convert.ToHexStringLower(Bytes), Convert.ToBase64String(Bytes), $" {Convert.ToHexString(Bytes)}\n" })
        {
            Assert.Equal(expected, MasterKey.Load(text, _folder["master.key"]).Derive("x"));
        }

        Assert.False(File.Exists(_folder["master.key"]));
    }

    [Fact]
    public void A_first_start_that_was_killed_while_it_wrote_the_key_is_in_nobodys_way()
    {
        // What a kill leaves: the key's own file is not there yet, and one beside it has begun.
        File.WriteAllText(_folder["master.key.0123.new"], "0001");

        var made = MasterKey.Load(null, _folder["master.key"]).Derive("x");

        Assert.Equal(made, MasterKey.Load(null, _folder["master.key"]).Derive("x"));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_folder["master.key"]));
        Assert.Equal(["master.key", "master.key.0123.new"], Directory.GetFiles(_folder[""]).Select(Path.GetFileName).Order());
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret-but-wrong")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1")]
    [InlineData("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1exx")]
    [InlineData("AAAA")]
    public void A_malformed_key_is_refused_and_not_shown(string text)
    {
        var fromEnvironment = Assert.Throws<InvalidOperationException>(() => MasterKey.Load(text, _folder["master.key"]));
        Assert.False(File.Exists(_folder["master.key"]));
        File.WriteAllText(_folder["master.key"], text);
        File.SetUnixFileMode(_folder["master.key"], OwnerOnly);
        var fromFile = Assert.Throws<InvalidOperationException>(() => MasterKey.Load(null, _folder["master.key"]));
        if (text.Length > 0)
        {
            Assert.DoesNotContain(text, fromEnvironment.Message + fromFile.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Each_use_has_a_key_of_its_own()
    {
        var master = MasterKey.FromBytes(Bytes);
        Assert.NotEqual(master.Derive("a"), master.Derive("b"));
        Assert.DoesNotContain(Convert.ToHexString(Bytes), Convert.ToHexString(master.Derive("a")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_sealed_key_opens_for_its_user_only_and_only_untouched()
    {
        using var vault = new KeyVault(MasterKey.FromBytes(Bytes));
        var key = new Secret("sk-ant-secret-12345");
        var sealedKey = vault.Seal(key, userId: 7);

        Assert.Equal(key, vault.Open(sealedKey, userId: 7));
        Assert.ThrowsAny<CryptographicException>(() => vault.Open(sealedKey, userId: 8));
        using var other = new KeyVault(MasterKey.FromBytes(new byte[32]));
        Assert.ThrowsAny<CryptographicException>(() => other.Open(sealedKey, userId: 7));
        for (var index = 0; index < sealedKey.Length; index++)
        {
            var touched = sealedKey.ToArray();
            touched[index] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => vault.Open(touched, userId: 7));
            Assert.ThrowsAny<CryptographicException>(() => vault.Open(sealedKey.AsSpan(0, index), userId: 7));
        }
    }

    [Fact]
    public void Sealing_twice_gives_different_bytes_that_do_not_show_the_key()
    {
        using var vault = new KeyVault(MasterKey.FromBytes(Bytes));
        var first = vault.Seal(new Secret("sk-ant-secret-12345"), 7);
        Assert.NotEqual(first, vault.Seal(new Secret("sk-ant-secret-12345"), 7));
        Assert.True(first.AsSpan().IndexOf("secret"u8) < 0);
    }
}
