namespace Tlfs.Core.Schema;

/// <summary>What a segment of a rule's path is.</summary>
internal enum StepKind
{
    /// <summary>A field's name.</summary>
    Field,
    /// <summary><c>{}</c>: every table value.</summary>
    Values,
    /// <summary><c>[]</c>: every array element.</summary>
    Elements,
    /// <summary>A call, which ends the path.</summary>
    Call,
}

/// <summary>A segment of a rule's path.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Token">Its first token: the name, or the opening brace or bracket.</param>
/// <param name="Argument">The name between the parentheses of a call.</param>
internal sealed record Step(StepKind Kind, Token Token, Token? Argument)
{
    public string Name => Token.Text;

    /// <summary>The segment in a message.</summary>
    public string Text => Kind switch
    {
        StepKind.Values => "{}",
        StepKind.Elements => "[]",
        StepKind.Field or StepKind.Call => Name,
    };
}
