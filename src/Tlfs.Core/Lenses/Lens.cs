namespace Tlfs.Core.Lenses;

/// <summary>
/// One step from a schema version to the next (docs/protocol/operations.md §2.1). A lens changes the view of a document, never the bytes, dots or
/// storage paths of its operations. The hierarchy is closed: the ten records below are all there are.
/// </summary>
public abstract record Lens
{
    private protected Lens()
    {
    }

    /// <summary>The lens that takes this one back. Inverting twice gives an equal lens.</summary>
    public abstract Lens Inverse();
}

/// <summary><c>[0, kind]</c>: Null becomes the kind.</summary>
/// <param name="Kind">The kind made; not Null.</param>
public sealed record Make(Kind Kind) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new Destroy(Kind);
}

/// <summary><c>[1, kind]</c>: an empty kind becomes Null.</summary>
/// <param name="Kind">The kind that stands there; not Null.</param>
public sealed record Destroy(Kind Kind) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new Make(Kind);
}

/// <summary><c>[2, name]</c>: a struct gets a Null field with a new field id.</summary>
/// <param name="Name">The field's name.</param>
public sealed record AddProperty(string Name) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new RemoveProperty(Name);
}

/// <summary><c>[3, name]</c>: a field is hidden; what it holds is kept.</summary>
/// <param name="Name">The field's name.</param>
public sealed record RemoveProperty(string Name) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new AddProperty(Name);
}

/// <summary><c>[4, from, to]</c>: a field gets another name.</summary>
/// <param name="From">The name before.</param>
/// <param name="To">The name after.</param>
public sealed record RenameProperty(string From, string To) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new RenameProperty(To, From);
}

/// <summary><c>[5, host, target]</c>: <c>.host.target</c> becomes <c>.target</c>.</summary>
/// <param name="Host">The struct that holds the field before.</param>
/// <param name="Target">The field.</param>
public sealed record HoistProperty(string Host, string Target) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new PlungeProperty(Host, Target);
}

/// <summary><c>[6, host, target]</c>: <c>.target</c> becomes <c>.host.target</c>.</summary>
/// <param name="Host">The struct that holds the field after.</param>
/// <param name="Target">The field.</param>
public sealed record PlungeProperty(string Host, string Target) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new HoistProperty(Host, Target);
}

/// <summary><c>[7, name, lens]</c>: the lens works on that field.</summary>
/// <param name="Name">The field's name.</param>
/// <param name="Inner">The lens.</param>
public sealed record LensIn(string Name, Lens Inner) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new LensIn(Name, Inner.Inverse());
}

/// <summary><c>[8, lens]</c>: the lens works on every array element.</summary>
/// <param name="Inner">The lens.</param>
public sealed record LensMap(Lens Inner) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new LensMap(Inner.Inverse());
}

/// <summary><c>[9, lens]</c>: the lens works on every table value.</summary>
/// <param name="Inner">The lens.</param>
public sealed record LensMapValue(Lens Inner) : Lens
{
    /// <inheritdoc />
    public override Lens Inverse() => new LensMapValue(Inner.Inverse());
}
