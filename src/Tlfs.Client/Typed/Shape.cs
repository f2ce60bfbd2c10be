using System.Text.Json;

namespace Tlfs.Client.Typed;

/// <summary>
/// How values of a .NET type are read from a document and written to it. Generated code composes shapes from those in <see cref="Shapes"/>; a shape follows one
/// place of one schema version.
/// </summary>
/// <typeparam name="T">The type; nullable where a value may be unset.</typeparam>
public abstract class Shape<T>
{
    /// <summary>What a place holds to which nothing was written.</summary>
    public abstract T Empty { get; }

    /// <summary>True for a register and a flag, which hold one value and no places below.</summary>
    public virtual bool IsLeaf => false;

    /// <summary>Reads the JSON of the place, in which a register is an array of all its values or the one that it shows (docs/protocol/operations.md §5).</summary>
    public abstract T Read(JsonElement json);

    /// <summary>Writes the value as JSON, each register as its one value. A value that JSON cannot hold is an <see cref="ArgumentException"/>.</summary>
    public abstract void Write(Utf8JsonWriter json, T value);
}
