using System.Diagnostics.CodeAnalysis;

namespace Ccp.Refusals;

/// <summary>A no, with the sentence the person at the keyboard reads: what is wrong, and who can do what about it.</summary>
internal sealed record Refusal(RefusalCode Code, string Message)
{
    /// <summary>When asking again makes sense, where that is known; null: as the code has it.</summary>
    public TimeSpan? Wait { get; init; }
}

/// <summary>Either what was asked for, or a refusal. There is no third case and no default.</summary>
internal readonly struct Decision<T>
{
    private readonly T? _value;
    private readonly Refusal? _refusal;

    private Decision(T? value, Refusal? refusal)
    {
        _value = value;
        _refusal = refusal;
    }

    public static implicit operator Decision<T>(T value) => new(value, null);

    public static implicit operator Decision<T>(Refusal refusal) => new(default, refusal);

    public bool Allows([MaybeNullWhen(false)] out T value, [NotNullWhen(false)] out Refusal? refusal)
    {
        value = _value;
        refusal = _refusal;
        return refusal is null;
    }
}
