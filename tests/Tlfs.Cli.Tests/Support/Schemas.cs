namespace Tlfs.Cli.Tests.Support;

/// <summary>The schemas that the tests use.</summary>
public static class Schemas
{
    /// <summary>The schema of the tour.</summary>
    public const string Tour = """
        todoapp {
          0.1.0 { .: Struct  .title: MVReg<String>  .tasks: Array  .tasks.[]: Struct  .tasks.[].title: MVReg<String>  .tasks.[].complete: EWFlag
                  .people: Table<String>  .people.{}: Struct  .people.{}.age: MVReg<u64> }
        }
        """;

    /// <summary>Two schemas, one of them with two versions.</summary>
    public const string Several = """
        notes { 0.1.0 { .: Struct .text: MVReg<String> }  0.2.0 { .pinned: EWFlag } }
        flags { 1.0.0 { .: EWFlag } }
        """;

    /// <summary>A schema that changed in ways which apps notice, and then in ways which they do not.</summary>
    public const string Growing = """
        todo {
          0.1.0 { .: Struct .note: MVReg<String> .todos: Array .todos.[]: Struct }
          0.2.0 { .todos.rename(tasks) .tasks.[].done: EWFlag .note.remove() }
          0.3.0 { .tasks.rename(other) .other.rename(tasks) }
        }
        """;

    /// <summary>Writes the tour's schema beside a replica and returns the file's path.</summary>
    public static string WriteTour(Person person) => Write(person, "todoapp.tlfs", Tour);

    /// <summary>Writes a file beside a replica and returns its path.</summary>
    public static string Write(Person person, string name, string text)
    {
        var path = person.File(name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }
}
