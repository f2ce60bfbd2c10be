using System.Globalization;
using System.Runtime.CompilerServices;

namespace Tlfs.Core.Encoding;

/// <summary>An interpolated text of <see cref="CanonicalReader.Require(bool, ref RefusalDetail, Reason)"/>: not formatted while the condition holds.</summary>
[InterpolatedStringHandler]
public ref struct RefusalDetail
{
    private DefaultInterpolatedStringHandler _text;

    /// <summary>Called by the compiler.</summary>
    /// <param name="literalLength">Letters of the constant parts.</param>
    /// <param name="formattedCount">Number of the other parts.</param>
    /// <param name="condition">The condition that is required.</param>
    /// <param name="isNeeded">True if the parts are to be appended.</param>
    public RefusalDetail(int literalLength, int formattedCount, bool condition, out bool isNeeded)
    {
        isNeeded = !condition;
        _text = isNeeded ? new(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
    }

    /// <summary>Called by the compiler.</summary>
    public void AppendLiteral(string value) => _text.AppendLiteral(value);

    /// <summary>Called by the compiler.</summary>
    public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

    internal string ToText() => _text.ToStringAndClear();
}
